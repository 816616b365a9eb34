# %% [markdown] lang="en"
# # 2 · Training
#
# **Plan**: 35 minutes. **You need**: `model.fit`, lesson 0. **Questions**: Does another optimizer make a better
# model, or only a quicker training? How many runs does it take to say so?
#
# Training does not make a model smaller or faster. But every technique that changes a network asks for a
# training afterwards, and its quality decides what survives. You will compare two optimizers as it should be
# done: over several seeds, by the time to a fixed F1.

# %% [markdown] lang="zh_CN"
# # 2 · 训练
#
# **计划**：35 分钟。**前提**：会用 `model.fit`；第 0 课。**问题**：换一个优化器是让模型更好，还是只让训练更快？
# 要跑多少次才能下结论？
#
# 训练不会让模型更小或更快。但每一种改变网络的方法，之后都需要训练，而训练的质量决定能留住多少。
# 你将用应有的方式比较两种优化器：用多个种子，比较达到某个固定 F1 所需的时间。

# %% tags=["hidden"]
prediction(
    "file",
    both("The model is trained again from new weights, as it is. How many times smaller will its file be?", "模型结构不变，从新权重开始重新训练。它的文件会小几倍？"),
    unit="×",
)
prediction(
    "winner",
    both(
        "SGD with momentum, at its own learning rate, against plain Adam: whose F1 on the test split is measurably better?",
        "带动量的 SGD（用适合它的学习率）对普通 Adam：谁在测试集上的 F1 测得出更好？",
    ),
    choices={
        "SGD": both("SGD", "SGD"),
        "Adam": both("Adam", "Adam"),
        "neither": both("neither, as far as this test split can tell", "就这个测试集而言分不出高下"),
    },
)
prediction(
    "rate",
    both("The same SGD with Adam's learning rate of 0.001, a tenth of what it wants. Its F1 in per cent?", "同样的 SGD，但用 Adam 的学习率 0.001，只有它所需的十分之一。F1 是百分之多少？"),
    unit="%",
)


@check(
    "steps",
    both("Steps of the optimizer in one epoch", "一轮里优化器走多少步"),
    within=1e-9,
)
def _():
    import math

    samples = lesson.workbench.dataset_info.counts["train"]
    yield math.ceil(samples / 32)
    yield samples, both("A step is a batch, not a sample.", "一步是一个批，不是一个样本。")
    yield samples / 32, both("Whole steps: the last batch may be smaller, and is a step as well.", "步数是整数：最后一批可以小一些，但也算一步。")
    yield samples // 32, both("The rest makes a last, smaller batch.", "剩下的样本组成最后一个较小的批。")


@check(
    "interval",
    both("The half-width of the 95% interval of the mean", "均值的 95% 区间的半宽"),
    within=0.02,
    explanation=both(
        "With three seeds the factor is not 1.96 but more than four: three runs know little of their own spread.",
        "只有三个种子时，系数不是 1.96，而是四点多：三次运行对自身的离散程度所知甚少。",
    ),
)
def _(runs):
    import numpy as np
    from scipy.stats import t

    error = float(np.std(runs, ddof=1) / np.sqrt(len(runs)))
    factor = float(t.ppf(0.975, len(runs) - 1))
    yield factor * error
    yield 1.96 * error, both("1.96 is for many runs. With so few use Student's t.", "1.96 适用于很多次运行。次数这么少，要用学生 t 分布。")
    yield error, both("That is the standard error; multiply by Student's t.", "这是标准误；还要乘以 t 分布的系数。")
    yield float(np.std(runs, ddof=1)), both("That is the spread of single runs, not of their mean.", "这是单次运行的标准差，不是均值的。")
    yield factor * float(np.std(runs) / np.sqrt(len(runs))), both("Divide by n − 1 in the variance: ddof=1.", "方差里要除以 n − 1：ddof=1。")


question(
    "seeds",
    both("Optimizer A reached 0.962, B 0.958, one run each. What do you know?", "优化器 A 达到 0.962，B 达到 0.958，各跑一次。你知道了什么？"),
    {
        "a": both("A is better by 0.4 points.", "A 好 0.4 个百分点。"),
        "nothing": both("Nothing yet: another seed may turn it round.", "还什么都不知道：换个种子可能就反过来。"),
        "same": both("They are equally good.", "两者一样好。"),
    },
    "nothing",
    hints={
        "a": both("Run A twice with different seeds first: how far is it from itself?", "先用不同的种子把 A 跑两次：它和自己能差多少？"),
        "same": both("Not proven is not the same as equal.", "未证实不等于相等。"),
    },
    explanation=both("The spread between seeds is the ruler that a difference is held against.", "种子之间的离散程度，就是衡量差异的尺子。"),
)

# %% name="lesson"
from widgets import LiveChart, TrainingPanel
from widgets.course import Lesson

lesson = Lesson("2-training", language=both("en", "zh_CN"))
workbench = lesson.workbench
baseline = workbench.open("dense-digits", "digits").wait()
workbench.results()

# %% [markdown] lang="en"
# ### Check: what is an epoch?
#
# The training split has so many samples, and a batch has 32. How many steps does one epoch take?

# %% [markdown] lang="zh_CN"
# ### 检查：一轮是多少？
#
# 训练集有这么多样本，一批 32 个。一轮要走多少步？

# %% name="check-steps"
samples = workbench.dataset_info.counts["train"]
print(samples)
# region solution
steps = -(-samples // 32)
# region exercise
# steps = ...
# endregion
lesson.check("steps", steps)

# %% [markdown] lang="en"
# ## 1. Two optimizers
#
# Both train the same architecture from new weights: SGD with momentum 0.9 at 0.05, and Adam at 0.001, each over
# three seeds with the same splits. The chart shows the curves while they run.

# %% [markdown] lang="zh_CN"
# ## 1. 两种优化器
#
# 两者都从新权重开始训练同一结构：动量 0.9、学习率 0.05 的 SGD，和学习率 0.001 的 Adam，各用三个种子，划分相同。
# 运行时图上会显示曲线。

# %% name="predict-file"
sgd = {"start": "new weights", "optimizer": "SGD", "learning_rate": 0.05, "momentum": 0.9, "seeds": 3, "epochs": 8}
adam = {"start": "new weights", "optimizer": "Adam", "learning_rate": 0.001, "seeds": 3, "epochs": 8}
seconds = lesson.seconds("training.retrain", **sgd) + lesson.seconds("training.retrain", **adam)
lesson.predict("file", seconds=seconds)

# %% name="lock-file" tags=["solution"]
lesson.lock("file", 1)

# %% name="predict-winner"
lesson.predict("winner", seconds=seconds)

# %% name="lock-winner" tags=["solution"]
lesson.lock("winner", "SGD")

# %% name="live"
LiveChart(workbench)

# %% name="train"
lesson.require("file", "winner")
with_sgd = workbench.training.retrain(**sgd).wait()
with_adam = workbench.training.retrain(**adam).wait()
lesson.measured("file", lesson.row(with_sgd).size_change.ratio)

# %% name="measured-winner"
compared = workbench.side_by_side(with_sgd.id, with_adam.id)
difference = compared.change.change
winner = "SGD" if difference.low > 0 else "Adam" if difference.high < 0 else "neither"
print(difference)
lesson.measured("winner", winner)

# %% [markdown] lang="en"
# Each report has a table of the seeds: how far each got on the validation split, and after how long it reached
# a fixed F1. The variant that is kept is the best by *validation*; the test split is only looked at afterwards.

# %% [markdown] lang="zh_CN"
# 每份报告里都有一张种子的表：各自在验证集上达到多少，以及用了多久达到某个固定的 F1。保留下来的是*验证集*上最好的一个；
# 测试集只在之后才看。

# %% name="tables"
for variant in (with_sgd, with_adam):
    for table in variant.report.tables:
        print(variant.name, "·", table.title)
        print(" | ".join(map(str, table.columns)))
        for line in table.rows:
            print(" | ".join(map(str, line)))

# %% [markdown] lang="en"
# ### Check: three runs
#
# Three runs ended at these F1 values (made up, so that everybody computes the same). What is the half-width of
# the 95% interval of their mean? `scipy.stats.t.ppf(0.975, n - 1)` is Student's factor.

# %% [markdown] lang="zh_CN"
# ### 检查：三次运行
#
# 三次运行的 F1 如下（虚构的数字，好让大家算同一道题）。均值的 95% 区间的半宽是多少？
# `scipy.stats.t.ppf(0.975, n - 1)` 是学生 t 分布的系数。

# %% name="check-interval"
import numpy as np
from scipy.stats import t

runs = np.array([0.951, 0.957, 0.962])
# region solution
half_width = t.ppf(0.975, len(runs) - 1) * runs.std(ddof=1) / np.sqrt(len(runs))
# region exercise
# half_width = ...
# endregion
lesson.check("interval", half_width, runs)

# %% name="ask-seeds"
lesson.ask("seeds")

# %% name="answer-seeds" tags=["solution"]
lesson.answer("seeds")

# %% [markdown] lang="en"
# ## 2. The failure of this lesson: somebody else's learning rate
#
# A comparison is easily lost for one side. Here SGD without momentum gets the learning rate that Adam likes, and
# just as many epochs.

# %% [markdown] lang="zh_CN"
# ## 2. 本课的失败：用别人的学习率
#
# 要让比较中的一方输掉，太容易了。这里不带动量的 SGD 用上 Adam 喜欢的学习率，轮数相同。

# %% name="predict-rate"
slow = {"start": "new weights", "optimizer": "SGD", "learning_rate": 0.001, "momentum": 0.0, "epochs": 8}
lesson.predict("rate", seconds=lesson.seconds("training.retrain", **slow))

# %% name="lock-rate" tags=["solution"]
lesson.lock("rate", 80)

# %% name="rate"
lesson.require("rate")
starved = workbench.training.retrain(**slow).wait()
f1 = lesson.row(starved).quality.f1_macro
from workbench.measure.records import Interval

lesson.measured("rate", Interval(value=100 * f1.value, low=100 * f1.low, high=100 * f1.high))

# %% [markdown] lang="en"
# Had you only seen this run, you would have concluded that SGD is of no use. Who compares two methods gives
# each its own best settings, found on the *validation* split, and the same budget.
#
# ## 3. Your turn, in the panel
#
# "Find the learning rate by trying" and "Compare with plain Adam" are in the form.

# %% [markdown] lang="zh_CN"
# 如果你只看到这一次运行，就会得出 SGD 没用的结论。比较两种方法，要给双方各自最好的设置（在*验证集*上找），以及同样的预算。
#
# ## 3. 轮到你了：用面板
#
# 表单里有“试出学习率”和“与普通 Adam 比较”。

# %% name="panel"
TrainingPanel(workbench)

# %% [markdown] lang="en"
# ## Why?
#
# 1. Why compare the *time to a fixed F1* and not only the F1 at the end?
# 2. The best of three seeds is kept. Which split chose it, and what would be wrong with the other one?
# 3. The file is as large as before, and the model as fast. What for, then, is training an optimization?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. 为什么要比较*达到某个固定 F1 的时间*，而不只是最后的 F1？
# 2. 保留的是三个种子中最好的。由哪个划分来选？用另一个会有什么问题？
# 3. 文件和以前一样大，模型和以前一样快。那训练为什么算优化？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - One run per side proves nothing; the spread between seeds is the ruler.
# - With few runs the interval is wide: Student's t says how wide.
# - Each side gets its own settings and the same budget, or the comparison was lost before it began.
#
# **Sources**: D. Choi et al., *On Empirical Comparisons of Optimizers for Deep Learning*, 2019. G. Dahl et al.,
# *Benchmarking Neural Network Training Algorithms*, 2023. Student, *The probable error of a mean*, 1908.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 各跑一次什么也证明不了；种子之间的离散程度才是尺子。
# - 次数少，区间就宽：学生 t 分布说明有多宽。
# - 双方各用自己的设置、同样的预算，否则比较还没开始就输了。
#
# **参考文献**：D. Choi et al., *On Empirical Comparisons of Optimizers for Deep Learning*, 2019. G. Dahl et al.,
# *Benchmarking Neural Network Training Algorithms*, 2023. Student, *The probable error of a mean*, 1908.
