# %% [markdown] lang="en"
# # 0 · Measure first
#
# **Plan**: 30 minutes, mostly thinking. **You need**: `model.fit`. **Questions**: How large, how fast and how
# good is a model? When is a difference a difference?
#
# You are given a trained classifier and asked to "make it faster". Before anybody optimizes anything, three
# numbers must stand on the table: its **size**, its **latency** and its **F1**, each with an interval that
# says how far it can be trusted. Everything below is measured on *your* machine, so your numbers differ from
# your neighbour's. What follows from them does not.
#
# Each lesson goes the same way: **predict, run, explain**. A prediction is locked before the run and stays
# beside the result, also when it is wrong: a wrong one is where you learn something.

# %% [markdown] lang="zh_CN"
# # 0 · 先测量
#
# **计划**：30 分钟，大部分时间用来思考。**前提**：会用 `model.fit`。**问题**：一个模型有多大、多快、多好？
# 什么样的差异才算差异？
#
# 你拿到一个训练好的分类器，任务是“让它更快”。在动手优化之前，桌上必须先摆好三个数：**大小**、**延迟**和 **F1**，
# 而且每个数都要带区间，说明它有多可信。下面的一切都在*你的*机器上实测，所以你的数字和邻座的不一样；
# 但由数字得出的结论是一样的。
#
# 每一课都按同样的步骤：**预测、运行、解释**。预测在运行之前锁定，之后一直和结果并排显示，错了也不抹去：
# 错的地方正是你学到东西的地方。

# %% tags=["hidden"]
import numpy as np

prediction("size", both("How many kB (1,000 bytes) does the file take?", "这个文件占多少 kB（1,000 字节）？"), unit="kB")
prediction(
    "pairs",
    both(
        "In how many of the 40 pairs does the same work look more than 5% faster or slower than itself?",
        "40 对中有多少对，同样的工作看起来比它自己快或慢 5% 以上？",
    ),
    scale="difference",
)
prediction(
    "again",
    both(
        "The same file is timed once more, a moment later. Where will the new median be?",
        "过一会儿再给同一个文件计时一次。新的中位数会落在哪里？",
    ),
    choices={
        "inside": both("within the interval of the first run", "在第一轮的区间之内"),
        "outside": both("outside of it", "在区间之外"),
    },
)


def parameters():
    return lesson.workbench.baseline.description.parameters


@check("weights", both("The number of weights", "权重的个数"))
def _():
    yield parameters()
    yield 64 * 64 + 64 * 32 + 32 * 10, both("Those are the matrices. Each unit also has a bias.", "这只是矩阵。每个单元还有一个偏置。")
    yield 4 * parameters(), both("Those are bytes. How many numbers is that?", "这是字节数。一共是多少个数？")


@check(
    "share",
    both("The share of the file that is weights", "权重占文件的比例"),
    within=0.01,
    explanation=both(
        "The rest is the model's configuration and the container. In a small model that is a lot: which is why "
        "“a quarter of the bits” is not “a quarter of the file”.",
        "其余的是模型配置和容器格式。对小模型来说这部分不小：所以“位数变成四分之一”不等于“文件变成四分之一”。",
    ),
)
def _():
    file_bytes = lesson.row().size.file_bytes
    yield 4 * parameters() / file_bytes
    yield parameters() / file_bytes, both("A float32 takes 4 bytes.", "一个 float32 占 4 字节。")
    yield file_bytes / (4 * parameters()), both("Upside down: a share is below 1.", "上下颠倒了：比例小于 1。")
    yield 400 * parameters() / file_bytes, both("That is in per cent; here it is a share, 0 to 1.", "这是百分数；这里要的是 0 到 1 的比例。")


@check("median", both("The median of the 1,001 times", "1,001 次用时的中位数"), within=1e-6)
def _(times):
    yield float(np.median(times))
    yield float(np.mean(times)), both("That is the mean: one slow call moves it.", "这是平均值：一次慢的调用就会改变它。")
    yield float(np.min(times)), both("That is the fastest call, which hardly any user meets.", "这是最快的一次，用户几乎遇不到。")
    yield float(np.median(times)) / 1e6, both("Leave it in nanoseconds.", "请保留纳秒。")


@check("p95", both("The 95th percentile", "第 95 百分位数"), within=0.001)
def _(times):
    yield float(np.percentile(times, 95))
    yield float(np.percentile(times, 0.95)), both("np.percentile takes per cent: 95, not 0.95.", "np.percentile 用百分数：95，而不是 0.95。")
    yield float(np.percentile(times, 5)), both("That is the 5th: 95% of the calls are slower.", "这是第 5 百分位数：95% 的调用比它慢。")
    yield float(np.max(times)), both("That is the slowest call of all.", "这是所有调用中最慢的一次。")
    yield 0.95 * float(np.median(times)), both("95% of the median is something else.", "中位数的 95% 是另一回事。")


question(
    "compare",
    both(
        "A colleague timed the old model yesterday and the new one today: 12% faster. What do you say?",
        "一位同事昨天给旧模型计时，今天给新模型计时：快了 12%。你怎么说？",
    ),
    {
        "ship": both("12% is far more than 5%: ship it.", "12% 远大于 5%：上线。"),
        "turns": both("Time both by turns in one run, then we know.", "两个在同一轮里轮流计时，才知道。"),
        "often": both("Time the new one ten times more and average.", "把新模型再测十遍取平均。"),
    },
    "turns",
    hints={
        "ship": both(
            "You saw above how far the same work is from itself. A whole day lies between these two.",
            "上面已经看到同样的工作和它自己能差多少。何况这两次隔了一整天。",
        ),
        "often": both(
            "More calls make today's median surer, but yesterday's machine stays another one.",
            "次数多只会让今天的中位数更可靠，昨天的机器状态仍然是另一个样子。",
        ),
    },
    explanation=both(
        "What disturbs the machine then disturbs both, and the ratio of the two stays.",
        "这样，干扰机器的因素同时干扰两者，两者之比保持不变。",
    ),
)


@check(
    "step",
    both("One sample, in percentage points", "一个样本相当于多少个百分点"),
    explanation=both(
        "Nothing finer can be seen with this test split: a claimed loss below that is one of words.",
        "用这个测试集看不到比这更小的差别：声称的损失如果比它还小，只是说说而已。",
    ),
)
def _():
    samples = lesson.row().quality.samples
    yield 100 / samples
    yield 1 / samples, both("That is a fraction; a percentage point is a hundredth.", "这是小数；一个百分点是百分之一。")
    yield (
        100 / lesson.workbench.dataset_info.counts["train"],
        both("Those are the training samples. F1 is of the test split.", "这是训练样本数。F1 是在测试集上算的。"),
    )


question(
    "verdict",
    both(
        "A variant's F1 changed by −0.4 points, interval −1.5 to +0.6. You accept a loss of one point. Verdict?",
        "某个变体的 F1 变化了 −0.4 个百分点，区间为 −1.5 到 +0.6。你能接受损失一个百分点。结论是？",
    ),
    {
        "kept": both("kept: −0.4 is better than −1", "保持：−0.4 好于 −1"),
        "lost": both("lost: it fell", "下降：它变低了"),
        "unsure": both("not proven: both are possible", "未证实：两种都有可能"),
    },
    "unsure",
    hints={
        "kept": both(
            "The loss may also be 1.5 points: the interval reaches beyond what you accept.",
            "损失也可能是 1.5 个百分点：区间超出了你能接受的范围。",
        ),
        "lost": both(
            "The interval also holds zero and even a gain.",
            "区间里也包含零，甚至包含提升。",
        ),
    },
    explanation=both(
        "More test samples would settle it. “Not proven” is an honest answer, and the workbench gives it.",
        "更多的测试样本才能定论。“未证实”是诚实的回答，工作台也会这样回答。",
    ),
)

# %% name="lesson"
from widgets import VariantsTable
from widgets.course import Lesson

lesson = Lesson("0-measure-first", language=both("en", "zh_CN"))
workbench = lesson.workbench
lesson

# %% [markdown] lang="en"
# ## 1. Size
#
# The model reads 8 × 8 pixels and has three dense layers: 64 units, 32 units, and 10 outputs. Weights are
# float32, 4 bytes each. It lies in a `.keras` file.

# %% [markdown] lang="zh_CN"
# ## 1. 大小
#
# 模型读入 8 × 8 像素，有三个全连接层：64 个单元、32 个单元和 10 个输出。权重是 float32，每个 4 字节。
# 模型存放在一个 `.keras` 文件里。

# %% name="predict-size"
lesson.predict("size")

# %% name="lock-size" tags=["solution"]
lesson.lock("size", 26)

# %% [markdown] lang="en"
# Now open it, with the data it was made for. This is the slowest cell: a worker process starts TensorFlow,
# reads the model, and times and judges it. The bar says how far it is. The notebook itself never waits for
# TensorFlow.

# %% [markdown] lang="zh_CN"
# 现在打开它，连同它所用的数据。这是最慢的一格：工作进程要启动 TensorFlow、读取模型、计时并评估。进度条会显示进行到哪里。
# 笔记本自己从不等待 TensorFlow。

# %% name="open"
lesson.require("size")
baseline = workbench.open("dense-digits", "digits").wait()
workbench.results()

# %% name="measured-size"
row = lesson.row(baseline)
lesson.measured("size", row.size.file_bytes / 1000)

# %% [markdown] lang="en"
# ### Check: how much of the file is weights?
#
# Count the weights of the three layers yourself. A dense layer from `a` inputs to `b` units has a matrix and
# a bias for each unit. Then divide their bytes by those of the file.

# %% [markdown] lang="zh_CN"
# ### 检查：文件里有多少是权重？
#
# 自己数一数三层的权重。从 `a` 个输入到 `b` 个单元的全连接层有一个矩阵，每个单元还有一个偏置。
# 然后用权重的字节数除以文件的字节数。

# %% name="check-weights"
file_bytes = row.size.file_bytes
# region solution
weights = (64 * 64 + 64) + (64 * 32 + 32) + (32 * 10 + 10)
share = 4 * weights / file_bytes
# region exercise
# weights = ...
# share = ...  # of the file, 0 to 1
# endregion
lesson.check("weights", weights)

# %% name="check-share"
lesson.check("share", share)

# %% [markdown] lang="en"
# ## 2. Latency
#
# The obvious way to time something: look at the clock, do it once, look again. The next cell does exactly
# the *same* work twice, one directly after the other, and compares the two times. It does that for 40 pairs.

# %% [markdown] lang="zh_CN"
# ## 2. 延迟
#
# 最直接的计时方法：看一眼时钟，做一次，再看一眼。下一格把*完全相同*的工作紧接着做两遍，比较两次用时，一共比较 40 对。

# %% name="predict-pairs"
lesson.predict("pairs")

# %% name="lock-pairs" tags=["solution"]
lesson.lock("pairs", 5)

# %% name="pairs"
lesson.require("pairs")
from time import perf_counter_ns

import numpy as np

matrix = np.random.default_rng(0).normal(size=(64, 64)).astype("float32")


def once() -> int:
    start = perf_counter_ns()
    matrix @ matrix
    return perf_counter_ns() - start


pairs = [(once(), once()) for _ in range(40)]
different = sum(not 0.95 < first / second < 1.05 for first, second in pairs)
lesson.measured("pairs", different)

# %% [markdown] lang="en"
# This is the failure of this lesson, made on purpose: each pair that was counted is a "speed-up" (or a
# slow-down) of nothing. If yours are few, run the cell again while something else works. The clock is right. What disturbs are interrupts, other processes, caches that are cold at
# first, and a processor that changes its frequency.
#
# What helps: many calls instead of one; a **median**, which a few slow calls do not move; beside it the
# **95th percentile**, which tells how bad the slow ones are; and an interval for what is claimed.

# %% [markdown] lang="zh_CN"
# 这是本课特意安排的失败：被数进去的每一对都是凭空出现的“加速”（或“减速”）。如果你的很少，让别的程序忙起来再运行一次这一格。时钟没有错。造成干扰的是中断、其他进程、
# 开始时还是冷的缓存，以及会变频的处理器。
#
# 有用的办法：不是调用一次而是许多次；看**中位数**，少数几次慢的调用动不了它；旁边再看**第 95 百分位数**，
# 它说明慢的调用有多慢；而对所下的结论，给出区间。

# %% name="check-percentiles"
times = [once() for _ in range(1001)]
# region solution
median = np.median(times)
p95 = np.percentile(times, 95)
# region exercise
# median = ...
# p95 = ...
# endregion
lesson.check("median", median, times)

# %% name="check-p95"
lesson.check("p95", p95, times)

# %% [markdown] lang="en"
# The workbench times models that way: many calls, in random order, the compared files *by turns in one run*,
# and beside them a second load of the reference, which must come out "no measurable change" against itself.
# Where another process disturbs too much, it says so and gives no verdict.
#
# Here is what it measured of the model: median, with its interval, and the 95th percentile.

# %% [markdown] lang="zh_CN"
# 工作台就是这样给模型计时的：调用许多次，顺序随机，要比较的文件*在同一轮里轮流*运行，旁边再放一份重新加载的参照文件，
# 它和自己相比必须得出“未测出差异”。如果别的进程干扰太大，工作台会说明，并且不下结论。
#
# 下面是它对这个模型测得的结果：中位数及其区间，还有第 95 百分位数。

# %% name="latency"
{
    both("median, ms", "中位数，毫秒"): row.latency.p50_ms.value,
    both("95% interval, ms", "95% 区间，毫秒"): (row.latency.p50_ms.low, row.latency.p50_ms.high),
    both("95th percentile, ms", "第 95 百分位数，毫秒"): row.latency.p95_ms,
    both("calls", "调用次数"): row.latency.samples,
    both("to know of it", "须知"): [str(one) for one in row.timing],
}

# %% name="predict-again"
lesson.predict("again", seconds=workbench.estimate_measuring(protocol="quick"))

# %% name="lock-again" tags=["solution"]
lesson.lock("again", "inside")

# %% name="again"
lesson.require("again")
first = row.latency.p50_ms
workbench.measure(protocol="quick").wait()
second = lesson.row(baseline).latency.p50_ms
lesson.measured("again", "inside" if first.low <= second.value <= first.high else "outside")

# %% [markdown] lang="en"
# Both happen. The interval says how sure the median *of that run* is. What drifts from one run to the next
# (temperature, other work) it cannot know. So two numbers that were taken at different moments are not
# compared: what is to be compared is timed by turns, in one run.

# %% [markdown] lang="zh_CN"
# 两种结果都可能出现。区间说明的是*那一轮*的中位数有多可靠；从一轮到下一轮的漂移（温度、其他负载）它无从知道。
# 所以不同时刻测得的两个数不能拿来比较：要比较的东西，必须在同一轮里轮流计时。

# %% name="ask-compare"
lesson.ask("compare")

# %% name="answer-compare" tags=["solution"]
lesson.answer("compare")

# %% [markdown] lang="en"
# ## 3. Quality
#
# F1 is computed on the **test split**, which neither training nor any choice of yours may see. It is a
# sample, too: other test samples would have given another F1. Its interval says how far that goes.

# %% [markdown] lang="zh_CN"
# ## 3. 质量
#
# F1 在**测试集**上计算，训练和你做的任何选择都不能看到它。测试集也是一个样本：换一批测试样本，F1 就会不同。
# 区间说明会差多少。

# %% name="quality"
samples = row.quality.samples
{
    both("test samples", "测试样本数"): samples,
    both("macro F1", "宏平均 F1"): row.quality.f1_macro.value,
    both("95% interval", "95% 区间"): (row.quality.f1_macro.low, row.quality.f1_macro.high),
}

# %% [markdown] lang="en"
# ### Check: the smallest step
#
# By how many percentage points does *accuracy* change when a single further test sample is classified wrongly?

# %% [markdown] lang="zh_CN"
# ### 检查：最小的一步
#
# 如果多错一个测试样本，*准确率*会变化多少个百分点？

# %% name="check-step"
# region solution
step = 100 / samples
# region exercise
# step = ...  # percentage points
# endregion
lesson.check("step", step)

# %% name="ask-verdict"
lesson.ask("verdict")

# %% name="answer-verdict" tags=["solution"]
lesson.answer("verdict")

# %% [markdown] lang="en"
# ## The panel
#
# The page shows the same numbers in a table that grows with every variant. Select the row to see what the
# model gets wrong, class by class, on the whole page (`workbench dashboard`).

# %% [markdown] lang="zh_CN"
# ## 面板
#
# 页面用表格显示同样的数字，每做出一个变体就多一行。在完整页面（`workbench dashboard`）上选中一行，
# 可以逐类查看模型错在哪里。

# %% name="table"
VariantsTable(workbench)

# %% [markdown] lang="en"
# ## Why?
#
# Talk it over with your neighbour.
#
# 1. Why does the workbench show a median and not the fastest call, although the fastest is the steadiest?
# 2. Your service promises an answer within a limit to every user. Which of the numbers matters then?
# 3. Why may you not look at the test split to choose between two models?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 和邻座讨论。
#
# 1. 最快的一次调用明明最稳定，为什么工作台显示的是中位数？
# 2. 你的服务向每个用户承诺在一定时间内返回。这时哪个数最重要？
# 3. 为什么不能看着测试集在两个模型之间做选择？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - Size, latency and F1 of the baseline come before any button.
# - A file is more than its weights.
# - One timing proves nothing: many calls, a median and a percentile, by turns, with an interval.
# - A test split has a finest step, and an interval. "Not proven" is a verdict.
#
# **Sources**: A. Georges, D. Buytaert, L. Eeckhout, *Statistically Rigorous Java Performance Evaluation*,
# OOPSLA 2007. T. Kalibera, R. Jones, *Rigorous Benchmarking in Reasonable Time*, ISMM 2013.
# Q. McNemar, *Note on the sampling error of the difference between correlated proportions*, 1947.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 按任何按钮之前，先有基线的大小、延迟和 F1。
# - 文件不只是权重。
# - 一次计时什么也证明不了：调用许多次，看中位数和百分位数，轮流进行，并给出区间。
# - 测试集有最小的一步，也有区间。“未证实”也是结论。
#
# **参考文献**：A. Georges, D. Buytaert, L. Eeckhout, *Statistically Rigorous Java Performance Evaluation*,
# OOPSLA 2007. T. Kalibera, R. Jones, *Rigorous Benchmarking in Reasonable Time*, ISMM 2013.
# Q. McNemar, *Note on the sampling error of the difference between correlated proportions*, 1947.
