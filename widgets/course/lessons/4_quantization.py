# %% [markdown] lang="en"
# # 4 · Quantization
#
# **Plan**: 40 minutes. **You need**: lesson 0. **Questions**: What do fewer bits do to size, speed and F1?
# Where does it stop to work?
#
# A float32 weight has 32 bits. Most networks do not need them. Quantization stores, and where the chip can,
# computes with 16, 8 or 4 bits. It needs no training, which makes it the first thing to try.

# %% [markdown] lang="zh_CN"
# # 4 · 量化
#
# **计划**：40 分钟。**前提**：第 0 课。**问题**：位数变少，大小、速度和 F1 会怎样？到哪里就行不通了？
#
# 一个 float32 权重有 32 位，大多数网络用不着这么多。量化用 16、8 或 4 位来存储，芯片支持时也用它们来计算。
# 它不需要训练，所以是首先该尝试的方法。

# %% tags=["hidden"]
prediction(
    "size",
    both("int8 has a quarter of the bits of float32. How many times smaller will the file be?", "int8 的位数是 float32 的四分之一。文件会小几倍？"),
    unit="×",
)
prediction(
    "speed",
    both("And its speed, against float32 in the same runtime (LiteRT)?", "与同一运行时（LiteRT）里的 float32 相比，速度会怎样？"),
    choices={
        "faster": both("measurably faster", "测得出更快"),
        "no measurable change": both("no measurable change", "未测出差异"),
        "slower": both("measurably slower", "测得出更慢"),
    },
)
prediction(
    "f1",
    both("And by how many points does F1 change?", "F1 会变化多少个百分点？"),
    unit=both("points", "个百分点"),
    scale="difference",
)
prediction(
    "one",
    both(
        "Each weight of the model is rounded to one of 2 values (1 bit). How many of 100 test digits are still right?",
        "把模型的每个权重舍入为 2 个值之一（1 位）。100 个测试数字里还有多少个判断正确？",
    ),
    unit="%",
    scale="difference",
)


@check(
    "scale",
    both("The step of the int8 grid", "int8 网格的步长"),
    explanation=both(
        "Nothing between two grid points survives: each weight moves by up to half a step.",
        "两个格点之间的值都留不住：每个权重最多移动半步。",
    ),
)
def _(weights):
    largest = abs(weights).max()
    yield float(largest / 127)
    yield float(largest / 128), both("Symmetric int8 goes from −127 to 127, so that zero stays zero.", "对称 int8 的范围是 −127 到 127，这样零仍然是零。")
    yield float(2 * largest / 255), both("Close: those are 255 steps from end to end; the symmetric grid has 254.", "接近了：这是从一端到另一端 255 步；对称网格是 254 步。")
    yield float(largest / 255), both("255 steps are for the whole range, from the negative end to the positive one.", "255 步对应整个范围，从负端到正端。")
    yield float(weights.max() / 127), both("The largest in size may be negative.", "绝对值最大的可能是负数。")


@check(
    "rounded",
    both("The weights on the grid", "落在网格上的权重"),
)
def _(weights, step):
    import numpy as np

    right = np.clip(np.round(weights / step), -127, 127) * step
    yield lambda answer: np.shape(answer) == right.shape and np.allclose(answer, right, atol=step / 1000)
    yield (
        lambda answer: np.allclose(answer, right / step, atol=1e-3),
        both("Those are the integers. Multiply by the step to get weights again.", "这是整数。乘以步长才重新得到权重。"),
    )
    yield (
        lambda answer: np.allclose(answer, np.trunc(weights / step) * step, atol=step / 1000),
        both("Cut off towards zero: round to the nearest instead, which errs half as much.", "这是向零截断；应当四舍五入到最近的格点，误差小一半。"),
    )
    yield (
        lambda answer: np.allclose(answer, weights),
        both("Those are the weights as they were.", "这是原来的权重。"),
    )


question(
    "why-speed",
    both("A colleague: “int8 is always faster than float32.” Your answer?", "一位同事说：“int8 总是比 float32 快。”你怎么回答？"),
    {
        "yes": both("Right: a quarter of the bytes, a quarter of the time.", "对：字节数四分之一，时间四分之一。"),
        "depends": both("It depends on kernels, chip and model: measure it in the same runtime.", "取决于内核、芯片和模型：要在同一个运行时里测。"),
        "never": both("Wrong: rounding costs time, so it is slower.", "错：舍入要花时间，所以更慢。"),
    },
    "depends",
    hints={
        "yes": both("Bytes are size. Time is how the kernel computes, and for a small model mostly what is around it.", "字节数是大小。时间取决于内核怎么算；对小模型，主要取决于计算以外的部分。"),
        "never": both("Chips with int8 dot products exist to be faster with it.", "有 int8 点积指令的芯片，正是为了算得更快。"),
    },
    explanation=both(
        "Compare yours with your neighbour's: another chip may give another verdict on the same file.",
        "和邻座比一比：换一种芯片，同一个文件的结论可能不同。",
    ),
)

# %% name="lesson"
from widgets import QuantizationPanel, TradeoffChart
from widgets.course import Lesson

lesson = Lesson("4-quantization", language=both("en", "zh_CN"))
workbench = lesson.workbench
baseline = workbench.open("dense-digits", "digits").wait()
workbench.results()

# %% [markdown] lang="en"
# ## 1. By hand
#
# One matrix, as the model might have it. Symmetric int8 lays a grid of equal steps over the weights, from −127
# to 127 steps, so that the largest weight *in size* just fits. Compute the step, then put the weights on the grid.

# %% [markdown] lang="zh_CN"
# ## 1. 动手算
#
# 一个矩阵，就像模型里的那样。对称 int8 在权重上铺一张等距网格，从 −127 步到 127 步，使*绝对值*最大的权重刚好放得下。
# 先算出步长，再把权重放到网格上。

# %% name="check-scale"
import numpy as np

weights = np.random.default_rng(4).normal(scale=0.2, size=(64, 32))
weights[3, 5] = -1.3
# region solution
step = np.abs(weights).max() / 127
# region exercise
# step = ...
# endregion
lesson.check("scale", step, weights)

# %% name="check-rounded"
# region solution
rounded = np.clip(np.round(weights / step), -127, 127) * step
# region exercise
# rounded = ...
# endregion
lesson.check("rounded", rounded, weights, np.abs(weights).max() / 127)

# %% [markdown] lang="en"
# Note what the single large weight did: it set the step for all others. *Per channel* quantization gives each
# column a step of its own, which is why it is the default.
#
# ## 2. The whole model
#
# *Full int8* also quantizes what flows between the layers. The ranges come from a few hundred samples, the
# *calibration*.

# %% [markdown] lang="zh_CN"
# 注意那一个大权重的作用：它决定了所有其他权重的步长。*逐通道*量化给每一列自己的步长，所以它是默认设置。
#
# ## 2. 整个模型
#
# *全 int8* 连层与层之间流动的值也量化。这些值的范围来自几百个样本，叫做*校准*。

# %% name="predict-size"
seconds = lesson.seconds("quantization.int8")
lesson.predict("size", seconds=seconds)

# %% name="lock-size" tags=["solution"]
lesson.lock("size", 4)

# %% name="predict-speed"
lesson.predict("speed", seconds=seconds)

# %% name="lock-speed" tags=["solution"]
lesson.lock("speed", "faster")

# %% name="predict-f1"
lesson.predict("f1", seconds=seconds)

# %% name="lock-f1" tags=["solution"]
lesson.lock("f1", 0)

# %% name="int8"
lesson.require("size", "speed", "f1")
int8 = workbench.quantization.int8().wait()
workbench.results()

# %% name="measured-size"
row = lesson.row(int8)
lesson.measured("size", row.size_change.ratio)

# %% name="measured-speed"
lesson.measured("speed", row.speed.word, doubt=row.distrust)

# %% name="measured-f1"
from workbench.measure.records import Interval

change = row.quality_change.change
lesson.measured("f1", Interval(value=100 * change.value, low=100 * change.low, high=100 * change.high))

# %% [markdown] lang="en"
# The row *LiteRT* was made beside it: the same float32 model in int8's runtime. It tells apart what the bits
# brought and what the change of file and runtime brought. Both ratios are below.

# %% [markdown] lang="zh_CN"
# 旁边还做出了 *LiteRT* 那一行：同一个 float32 模型，放在 int8 所用的运行时里。它把“位数带来的”和“换文件格式、换运行时带来的”
# 分开。两个比值如下。

# %% name="apart"
{
    both("file against the .keras baseline, times smaller", "与 .keras 基线相比，文件小的倍数"): row.size_change.ratio,
    both("file against float32 in LiteRT, times smaller", "与 LiteRT 里的 float32 相比，文件小的倍数"): row.size_change_alike.ratio,
    both("verdict on speed in LiteRT", "在 LiteRT 里的速度结论"): row.speed.word if row.distrust is None else str(row.distrust),
    both("verdict on F1", "F1 的结论"): row.quality_change.word,
}

# %% name="ask-speed"
lesson.ask("why-speed")

# %% name="answer-speed" tags=["solution"]
lesson.answer("why-speed")

# %% [markdown] lang="en"
# ## 3. The failure of this lesson: one bit
#
# If 8 bits cost so little, why not 1? *Clustering* gives every matrix a number of values that it may use: 2
# values are what one bit can name. No training follows, so that you see the bare effect.

# %% [markdown] lang="zh_CN"
# ## 3. 本课的失败：一位
#
# 既然 8 位的代价这么小，为什么不用 1 位？*聚类*规定每个矩阵只能使用几个不同的值：1 位能表示 2 个值。
# 之后不再训练，好让你看到赤裸裸的效果。

# %% name="predict-one"
lesson.predict("one", seconds=lesson.seconds("structure.clustering", clusters=2, epochs=0))

# %% name="lock-one" tags=["solution"]
lesson.lock("one", 60)

# %% name="one"
lesson.require("one")
one = workbench.structure.clustering(clusters=2, epochs=0).wait()
accuracy = lesson.row(one).quality.accuracy
lesson.measured("one", Interval(value=100 * accuracy.value, low=100 * accuracy.low, high=100 * accuracy.high))

# %% name="one-rows"
workbench.results()

# %% [markdown] lang="en"
# Compare its verdict on F1 with that of int8. Somewhere between the two the values become too coarse for this
# model, and no calibration helps any more: there training has to take part (quantization-aware training, or
# fine-tuning with the few values in place). Try 4, 8 or 16 values in the panel of structure to find the place.
#
# ## 4. Your turn, in the panel
#
# Look for the smallest file that keeps F1. Say first which technique it will be.

# %% [markdown] lang="zh_CN"
# 把它的 F1 结论和 int8 的比一比。在两者之间的某处，可用的值对这个模型就太粗了，再怎么校准也没用：
# 那时必须让训练参与进来（量化感知训练，或在这几个值的限制下微调）。可以在结构面板里试 4、8、16 个值，找到这个位置。
#
# ## 4. 轮到你了：用面板
#
# 找出 F1 得以保持的最小文件。先说出你认为会是哪种方法。

# %% name="panel"
QuantizationPanel(workbench)

# %% name="chart"
TradeoffChart(workbench)

# %% [markdown] lang="en"
# ## Why?
#
# 1. Why is the file not exactly four times smaller?
# 2. Calibration used samples of the validation split. Why not of the test split?
# 3. Where does a single outlier hurt more: per tensor or per channel?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. 为什么文件不是恰好小四倍？
# 2. 校准用的是验证集的样本。为什么不用测试集？
# 3. 单个离群值在哪种情况下危害更大：逐张量还是逐通道？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - Fewer bits: the size is certain, the speed is a question to chip and kernels, F1 a question to measure.
# - Quote a speed-up against float32 *in the same runtime*.
# - The largest value sets the grid for all that share it.
# - Below some number of bits a model collapses unless it is trained for it.
#
# **Sources**: B. Jacob et al., *Quantization and Training of Neural Networks for Efficient
# Integer-Arithmetic-Only Inference*, CVPR 2018. M. Nagel et al., *A White Paper on Neural Network
# Quantization*, 2021. R. Krishnamoorthi, *Quantizing deep convolutional networks for efficient inference*, 2018.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 位数变少：大小是确定的，速度要看芯片和内核，F1 要靠测量。
# - 加速比要与*同一运行时*里的 float32 相比。
# - 最大的值决定了所有共用者的网格。
# - 位数低于某个界限，模型就会崩溃，除非为此训练过。
#
# **参考文献**：B. Jacob et al., *Quantization and Training of Neural Networks for Efficient
# Integer-Arithmetic-Only Inference*, CVPR 2018. M. Nagel et al., *A White Paper on Neural Network
# Quantization*, 2021. R. Krishnamoorthi, *Quantizing deep convolutional networks for efficient inference*, 2018.
