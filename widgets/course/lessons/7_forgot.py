# %% [markdown] lang="en"
# # 7 · What did the model forget?
#
# **Plan**: 30 minutes. **You need**: lesson 4. **Questions**: Can a model lose a class while its accuracy hardly
# moves? Which samples did the optimization cost, and who are they?

# %% [markdown] lang="zh_CN"
# # 7 · 模型忘了什么？
#
# **计划**：30 分钟。**前提**：第 4 课。**问题**：准确率几乎不动，模型会不会丢掉一个类别？优化牺牲了哪些样本，它们是谁？

# %% tags=["hidden"]
prediction(
    "flips",
    both("Eight values for each matrix instead of float32 (3 bits). Of 100 test samples, how many get another class than before?", "每个矩阵只用 8 个值代替 float32（3 位）。100 个测试样本里，有多少个的类别和以前不同？"),
    unit="%",
    scale="difference",
)
prediction(
    "spread",
    both("Is the loss spread evenly over the ten classes?", "损失会均匀分布在十个类别上吗？"),
    choices={
        "even": both("the worst class loses at most twice the mean", "损失最大的类别不超过平均的两倍"),
        "uneven": both("the worst class loses more than twice the mean", "损失最大的类别超过平均的两倍"),
    },
)


@check(
    "majority",
    both("Accuracy of a model that has lost the rare class", "丢掉稀有类别的模型的准确率"),
    explanation=both("Which is why the workbench judges by macro F1: every class counts the same.", "所以工作台用宏平均 F1 来评估：每个类别同等重要。"),
)
def _():
    yield 0.98
    yield 98, both("As a share, 0 to 1.", "请用 0 到 1 的比例。")
    yield 0.02, both("Those are the samples that it gets wrong.", "这是判断错的样本。")
    yield 0.5, both("That is the mean over classes; accuracy counts samples.", "这是对类别取平均；准确率数的是样本。")


@check(
    "macro",
    both("And its macro F1", "它的宏平均 F1"),
    within=0.002,
)
def _():
    common = 2 * 0.98 / (0.98 + 1)
    yield common / 2
    yield common, both("That is the F1 of the common class. The rare one has 0.", "这是常见类别的 F1。稀有类别是 0。")
    yield 0.98, both("That is accuracy. F1 is per class, then the mean.", "这是准确率。F1 要先逐类计算，再取平均。")
    yield 0.5, both("Close: the common class has a precision below 1, as it also takes the rare samples.", "接近了：常见类别的精确率小于 1，因为它把稀有样本也算进去了。")


@check(
    "worst",
    both("The class that lost most F1", "F1 损失最大的类别"),
)
def _(details):
    lost = [before - after for before, after in zip(details.f1_before, details.f1_after, strict=True)]
    most, least = max(lost), min(lost)
    yield lambda answer: str(answer) in {name for name, loss in zip(details.classes, lost, strict=True) if loss == most}
    yield (
        lambda answer: str(answer) in {name for name, loss in zip(details.classes, lost, strict=True) if loss == least},
        both("That one lost least: before minus after.", "这是损失最小的：要用之前减之后。"),
    )
    yield (
        lambda answer: str(answer) == details.classes[min(range(len(lost)), key=lambda index: details.f1_after[index])],
        both("That one is worst now. Which has lost most?", "这是现在最差的。哪一个损失最多？"),
    )


question(
    "both-ways",
    both("F1 is the same as before, yet many samples got another class. What happened?", "F1 和以前一样，却有很多样本换了类别。发生了什么？"),
    {
        "error": both("A fault in the measurement.", "测量出了错。"),
        "trade": both("Some became wrong and as many became right: another model with the same score.", "有的变错，又有同样多的变对：分数相同的另一个模型。"),
        "nothing": both("Nothing: the same F1 is the same model.", "什么也没发生：F1 相同就是同一个模型。"),
    },
    "trade",
    hints={
        "error": both("Count the flips in both directions.", "把两个方向的变化都数一数。"),
        "nothing": both("F1 is one number. Whose answer changed is another question.", "F1 只是一个数。谁的答案变了是另一个问题。"),
    },
    explanation=both("Users notice the answers that became wrong, not those that became right.", "用户会注意到变错的答案，而不是变对的。"),
)

# %% name="lesson"
from widgets import DetailsPanel, VariantsTable
from widgets.course import Lesson
from workbench.measure.records import Interval

lesson = Lesson("7-forgot", language=both("en", "zh_CN"))
workbench = lesson.workbench
baseline = workbench.open("dense-digits", "digits").wait()
workbench.results()

# %% [markdown] lang="en"
# ## 1. A number that hides a class: the failure of this lesson
#
# Of 100 samples 98 are "healthy", 2 "ill". After an optimization the model answers "healthy" to all of them.
# What is its accuracy, and what its macro F1 (the mean of both classes' F1; one that is never answered has 0)?

# %% [markdown] lang="zh_CN"
# ## 1. 掩盖类别的数字：本课的失败
#
# 100 个样本中 98 个“健康”，2 个“患病”。优化之后，模型对所有样本都回答“健康”。它的准确率是多少？
# 宏平均 F1（两个类别 F1 的平均，从不回答的类别为 0）是多少？

# %% name="check-majority"
# region solution
accuracy = 98 / 100
# region exercise
# accuracy = ...
# endregion
lesson.check("majority", accuracy)

# %% name="check-macro"
# region solution
precision, recall = 98 / 100, 1.0
macro = (2 * precision * recall / (precision + recall) + 0) / 2
# region exercise
# macro = ...
# endregion
lesson.check("macro", macro)

# %% [markdown] lang="en"
# ## 2. Your model, coarsened
#
# Each matrix may use eight values only, and no training follows.

# %% [markdown] lang="zh_CN"
# ## 2. 把你的模型变粗
#
# 每个矩阵只能用八个值，之后不再训练。

# %% name="predict-flips"
lesson.predict("flips", seconds=lesson.seconds("structure.clustering", clusters=8, epochs=0))

# %% name="lock-flips" tags=["solution"]
lesson.lock("flips", 5)

# %% name="predict-spread"
lesson.predict("spread")

# %% name="lock-spread" tags=["solution"]
lesson.lock("spread", "uneven")

# %% name="coarse"
lesson.require("flips", "spread")
coarse = workbench.structure.clustering(clusters=8, epochs=0).wait()
details = workbench.details(coarse.id)
samples = lesson.row(coarse).quality.samples
lesson.measured("flips", 100 * len(details.flips) / samples)

# %% name="classes"
for name, before, after in zip(details.classes, details.f1_before, details.f1_after):
    print(f"{name:>4}  {before:.3f} -> {after:.3f}  {100 * (after - before):+.1f}")
change = lesson.row(coarse).quality_change
print(change.word, change.change)

# %% name="check-worst"
# region solution
lost = [before - after for before, after in zip(details.f1_before, details.f1_after)]
worst = details.classes[lost.index(max(lost))]
# region exercise
# worst = ...
# endregion
lesson.check("worst", worst, details)

# %% name="measured-spread"
losses = [before - after for before, after in zip(details.f1_before, details.f1_after)]
mean = sum(losses) / len(losses)
lesson.measured("spread", "uneven" if max(losses) > 2 * max(mean, 0) else "even")

# %% [markdown] lang="en"
# Each class has only some of the test samples, so a single class moves by chance much more than the mean does. A
# claim about one class needs an interval of its own, or more samples of that class.
#
# ## 3. Who are they?
#
# Select the row of the variant in the table: the details show each flipped sample, those that became wrong first.

# %% [markdown] lang="zh_CN"
# 每个类别只有一部分测试样本，所以单个类别因偶然而产生的波动比均值大得多。要对一个类别下结论，需要它自己的区间，
# 或者更多该类的样本。
#
# ## 3. 它们是谁？
#
# 在表格中选中这个变体：详情会显示每个改变了类别的样本，变错的排在前面。

# %% name="table"
VariantsTable(workbench)

# %% name="details"
DetailsPanel(workbench)

# %% name="directions"
became_wrong = sum(flip.before == flip.label for flip in details.flips)
became_right = sum(flip.after == flip.label for flip in details.flips)
{both("became wrong", "变错"): became_wrong, both("became right", "变对"): became_right, both("wrong both times", "两次都错"): len(details.flips) - became_wrong - became_right}

# %% name="ask-both-ways"
lesson.ask("both-ways")

# %% name="answer-both-ways" tags=["solution"]
lesson.answer("both-ways")

# %% [markdown] lang="en"
# ## Why?
#
# 1. Which samples flip first when a model is coarsened: those in the middle of a class, or those between two?
# 2. When would you accept a loss of F1 but no lost class, and how would you write that down as a demand?
# 3. Your data have a group that is no class (a dialect, a skin colour). How would you see that it was forgotten?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. 模型变粗时，哪些样本最先改变：类别中心的，还是两类之间的？
# 2. 什么情况下你能接受 F1 下降，但不能接受丢掉一个类别？怎样把它写成要求？
# 3. 数据里有一个不是类别的群体（某种方言、某种肤色）。怎样才能发现它被遗忘了？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - Accuracy can hide a lost class. Macro F1 cannot hide it so well, a look at the classes not at all.
# - The same score is not the same model: count who changed, in both directions.
# - One class is a small sample: be careful with claims about it.
#
# **Sources**: S. Hooker et al., *What Do Compressed Deep Neural Networks Forget?*, 2019. S. Hooker et al.,
# *Characterising Bias in Compressed Models*, 2020. Q. McNemar, 1947.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 准确率会掩盖丢掉的类别；宏平均 F1 不那么容易掩盖；逐类来看就藏不住。
# - 分数相同不等于模型相同：两个方向上谁变了，都要数。
# - 单个类别是小样本：对它下结论要谨慎。
#
# **参考文献**：S. Hooker et al., *What Do Compressed Deep Neural Networks Forget?*, 2019. S. Hooker et al.,
# *Characterising Bias in Compressed Models*, 2020. Q. McNemar, 1947.
