# %% [markdown] lang="en"
# # 6 · Stacking and the trade-off
#
# **Plan**: 40 minutes. **You need**: lessons 1 and 4. **Questions**: What do two techniques bring together? Does
# their order matter? When is a variant worth keeping?

# %% [markdown] lang="zh_CN"
# # 6 · 组合与权衡
#
# **计划**：40 分钟。**前提**：第 1 课和第 4 课。**问题**：两种方法合起来能带来什么？顺序重要吗？什么样的变体值得保留？

# %% tags=["hidden"]
prediction(
    "size",
    both(
        "Half the width makes the file smaller by one factor, int8 by another. Both together, in that order: how many times smaller than the baseline?",
        "宽度减半让文件小若干倍，int8 又小若干倍。按这个顺序两步合起来，文件比基线小几倍？",
    ),
    unit="×",
)
prediction(
    "order",
    both("First int8, then half the width. What will the workbench do?", "先 int8，再把宽度减半。工作台会怎么做？"),
    choices={
        "same": both("make the same variant as the other way round", "做出与另一种顺序相同的变体"),
        "refuse": both("refuse it, with the reason", "拒绝，并说明原因"),
        "worse": both("make it, with a lower F1", "照做，但 F1 更低"),
    },
)


@check(
    "product",
    both("What the factors promise together", "两个倍数合起来应有的值"),
    explanation=both(
        "What is measured may be more or less: a file is more than its weights, and each format has another rest.",
        "实测可能更多，也可能更少：文件不只是权重，每种格式的其余部分各不相同。",
    ),
)
def _(narrow, int8):
    first, second = lesson.row(narrow).size_change.ratio, lesson.row(int8).size_change.ratio
    yield first * second
    yield first + second, both("Factors multiply.", "倍数是相乘的。")
    yield max(first, second), both("The second step goes on from what the first has left.", "第二步是在第一步剩下的基础上继续。")
    yield 1 / (first * second), both("Times smaller, above 1 here.", "这里是“小几倍”，大于 1。")


@check(
    "front",
    both("The variants on the front", "帕累托前沿上的变体"),
    explanation=both(
        "Off the front there is always another one that is at least as small, fast and good.",
        "前沿之外的变体，总有另一个至少同样小、同样快、同样好。",
    ),
)
def _():
    rows = lesson.workbench.results()
    front = {row.variant.name for row in rows if row.on_front}
    smallest = min(rows, key=lambda row: row.size.file_bytes).variant.name
    yield lambda answer: set(answer) == front
    yield lambda answer: set(answer) == {smallest}, both("That is the smallest. Others may be faster or better, and are on the front as well.", "这是最小的。别的可能更快或更好，也在前沿上。")
    yield lambda answer: set(answer) == {row.variant.name for row in rows}, both("Those are all. Which has another one that is at least as good in everything?", "这是全部。哪些变体有另一个在各方面都不比它差？")
    yield lambda answer: set(answer) < front, both("There are more. Take the column of the table as it is.", "还有。直接用表格里的那一列。")


question(
    "choose",
    both("Three variants are on the front. Which is the best?", "前沿上有三个变体。哪个最好？"),
    {
        "small": both("the smallest", "最小的"),
        "fast": both("the fastest", "最快的"),
        "goal": both("That depends on what is wanted: the front only says which are not beaten.", "看你要什么：前沿只说明哪些没有被超过。"),
    },
    "goal",
    hints={
        "small": both("For somebody whose bottleneck is time?", "如果对方的瓶颈是时间呢？"),
        "fast": both("For somebody whose device has 32 kB?", "如果对方的设备只有 32 kB 呢？"),
    },
    explanation=both("So a goal comes first. The page asks for it at its top.", "所以先要有目标。页面顶部就会问你。"),
)

# %% name="lesson"
from widgets import TradeoffChart, VariantsTable
from widgets.course import Lesson

lesson = Lesson("6-stacking", language=both("en", "zh_CN"))
workbench = lesson.workbench
baseline = workbench.open("dense-digits", "digits").wait()
workbench.results()

# %% [markdown] lang="en"
# ## 1. Each alone

# %% [markdown] lang="zh_CN"
# ## 1. 各自单独

# %% name="takes"
lesson.takes(lesson.seconds("structure.width", factor=0.5, epochs=10), lesson.seconds("quantization.int8"))

# %% name="alone"
narrow_job = workbench.structure.width(factor=0.5, epochs=10)
int8 = workbench.quantization.int8().wait()
narrow = narrow_job.wait()
workbench.results()

# %% [markdown] lang="en"
# ### Check: the promise

# %% [markdown] lang="zh_CN"
# ### 检查：应有的值

# %% name="check-product"
first, second = lesson.row(narrow).size_change.ratio, lesson.row(int8).size_change.ratio
# region solution
promised = first * second
# region exercise
# promised = ...
# endregion
lesson.check("product", promised, narrow, int8)

# %% [markdown] lang="en"
# ## 2. Both

# %% [markdown] lang="zh_CN"
# ## 2. 合在一起

# %% name="predict-size"
lesson.predict("size", seconds=lesson.seconds("quantization.int8", narrow))

# %% name="lock-size" tags=["solution"]
lesson.lock("size", promised)

# %% name="both"
lesson.require("size")
stacked = workbench.quantization.int8(narrow).wait()
lesson.measured("size", lesson.row(stacked).size_change.ratio)

# %% [markdown] lang="en"
# ## 3. The other way round: the failure of this lesson

# %% [markdown] lang="zh_CN"
# ## 3. 反过来：本课的失败

# %% name="predict-order"
lesson.predict("order")

# %% name="lock-order" tags=["solution"]
lesson.lock("order", "refuse")

# %% name="order"
lesson.require("order")
reason = workbench.obstacle("structure.width", int8.id, {"factor": 0.5})
print(reason)
lesson.measured("order", "same" if reason is None else "refuse")

# %% [markdown] lang="en"
# A technique needs something to work on. Width scaling trains a Keras model; the int8 file is a finished
# program for a runtime, whose weights nobody trains any more. The rule of thumb: structure, then training, then
# bits, then the runtime.
#
# ## 4. The front
#
# A variant is *on the front* if no other one is at least as small, as fast and as good, and better in one.
# Which are they? `on_front` is a column of the results.

# %% [markdown] lang="zh_CN"
# 方法要有可以下手的对象。宽度缩放训练的是 Keras 模型；int8 文件是给运行时的成品程序，它的权重已经无法再训练。
# 经验法则：先结构，再训练，再位数，最后运行时。
#
# ## 4. 前沿
#
# 如果没有另一个变体在大小、速度和质量上都不比它差、且至少有一项更好，这个变体就*在前沿上*。是哪几个？
# `on_front` 是结果里的一列。

# %% name="check-front"
results = workbench.results().to_frame()
# region solution
front = list(results[results.on_front].name)
# region exercise
# front = ...
# endregion
lesson.check("front", front)

# %% name="chart"
TradeoffChart(workbench)

# %% name="table"
VariantsTable(workbench)

# %% name="ask-choose"
lesson.ask("choose")

# %% name="answer-choose" tags=["solution"]
lesson.answer("choose")

# %% [markdown] lang="en"
# ## Why?
#
# 1. Two techniques each lose nothing that can be proven. May their stack lose something?
# 2. What was measured is not exactly the product. Which part of each file does neither technique touch?
# 3. A recipe is the steps in their order. What else must it hold so that somebody else gets the same?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. 两种方法各自都没有可证实的损失。合起来会有损失吗？
# 2. 实测值并不恰好等于乘积。每个文件里，哪一部分是两种方法都碰不到的？
# 3. 配方是按顺序排列的步骤。还必须包含什么，别人才能做出同样的结果？

# %% name="recipe"
print(workbench.recipe(stacked).to_yaml())

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - Factors multiply for what they act on, the weights. The rest of a file has its own size in each format.
# - Structure, then training, then bits, then the runtime.
# - The front says what is not beaten; the goal says which of those to take.
#
# **Sources**: S. Han, H. Mao, W. Dally, *Deep Compression*, ICLR 2016. MIT 6.5940.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 倍数只对它们作用的权重相乘；文件的其余部分在每种格式里大小各不相同。
# - 先结构，再训练，再位数，最后运行时。
# - 前沿说明哪些没有被超过；目标说明该取其中哪个。
#
# **参考文献**：S. Han, H. Mao, W. Dally, *Deep Compression*, ICLR 2016. MIT 6.5940.
