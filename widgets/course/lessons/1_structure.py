# %% [markdown] lang="en"
# # 1 · Structure
#
# **Plan**: 40 minutes. **You need**: lesson 0. **Questions**: What happens to size, operations and time when a
# network becomes narrower? Is a network that is mostly zeros a faster one?
#
# The model here is the dense network 128-64-10 on handwritten digits. Structure is the first lever: a
# smaller network *is* smaller, in every runtime and on every chip. You will halve its width, count what
# that brings, and then try to get the same from zeros.

# %% [markdown] lang="zh_CN"
# # 1 · 结构
#
# **计划**：40 分钟。**前提**：第 0 课。**问题**：网络变窄，大小、运算量和时间会怎样？大部分是零的网络会更快吗？
#
# 这里的模型是手写数字上的全连接网络 128-64-10。结构是第一个杠杆：更小的网络，在任何运行时、任何芯片上*都*更小。
# 你将把宽度减半，算出得到了什么，然后试试能不能靠“置零”得到同样的效果。

# %% tags=["hidden"]
prediction(
    "macs",
    both("All widths are halved. How many times fewer MACs?", "所有宽度减半。MAC 会减少到原来的几分之一（填倍数）？"),
    unit="×",
)
prediction(
    "f1",
    both("And by how many points does F1 change?", "F1 会变化多少个百分点？"),
    unit=both("points", "个百分点"),
    scale="difference",
)
prediction(
    "sparse",
    both("80% of the weights are zero. What of the speed in the same runtime?", "80% 的权重为零。在同一个运行时里，速度会怎样？"),
    choices={
        "faster": both("measurably faster", "测得出更快"),
        "no measurable change": both("no measurable change", "未测出差异"),
        "slower": both("measurably slower", "测得出更慢"),
    },
)
prediction("file", both("And how many times smaller is the file?", "文件会小几倍？"), unit="×")


@check(
    "macs",
    both("MACs of the narrow network", "变窄后网络的 MAC 数"),
    within=1e-9,
    explanation=both(
        "The first layer has most of the MACs, and only one of its sides is halved.",
        "第一层占了大部分 MAC，而它只有一边减半。",
    ),
)
def _(narrow):
    whole = lesson.workbench.baseline.description.macs
    yield narrow.description.macs
    yield whole, both("That is the network that you started from.", "这是原来的网络。")
    yield whole / 4, both("A quarter of all: but 784 pixels stay 784 pixels.", "全部的四分之一：但 784 个像素还是 784 个像素。")
    yield whole / 2, both("Half of all: look at the second layer, where both sides are halved.", "全部的一半：看看第二层，它两边都减半了。")
    yield (
        narrow.description.parameters,
        both("Those are the weights with their biases. A bias is an addition, no MAC.", "这是包括偏置的参数个数。偏置只是加法，不是 MAC。"),
    )


@check(
    "packed",
    both("Times smaller after gzip", "gzip 之后小了几倍"),
    explanation=both("That counts for a download, not for memory and not for time.", "这对下载有意义，对内存和时间没有意义。"),
)
def _(plain, zeros):
    yield plain.gzip_bytes / zeros.gzip_bytes
    yield zeros.gzip_bytes / plain.gzip_bytes, both("Upside down: smaller means above 1 here.", "上下颠倒了：这里变小意味着大于 1。")
    yield plain.file_bytes / zeros.gzip_bytes, both("Compare like with like: both after gzip.", "要同类相比：两者都在 gzip 之后。")
    yield plain.file_bytes / zeros.file_bytes, both("Those are the files before gzip.", "这是 gzip 之前的文件。")


question(
    "zeros",
    both("What would make zeros faster?", "怎样才能让零变得更快？"),
    {
        "more": both("More of them: 95% instead of 80%.", "更多的零：95% 而不是 80%。"),
        "kernel": both("Kernels or chips that skip them in a pattern, or removing whole channels.", "能按固定模式跳过零的内核或芯片，或者去掉整个通道。"),
        "gzip": both("Loading the file packed.", "加载压缩后的文件。"),
    },
    "kernel",
    hints={
        "more": both("A dense product multiplies by 95% zeros just as carefully.", "稠密乘法对 95% 的零也照乘不误。"),
        "gzip": both("It must be unpacked before anything is computed.", "计算之前必须先解压。"),
    },
    explanation=both(
        "2:4 patterns on some GPUs are skipped by the hardware; a removed channel is a smaller matrix everywhere.",
        "有些 GPU 的硬件能跳过 2:4 模式的零；而去掉一个通道，在哪里都是更小的矩阵。",
    ),
)

# %% name="lesson"
from widgets import StructurePanel, TradeoffChart
from widgets.course import Lesson

lesson = Lesson("1-structure", language=both("en", "zh_CN"))
workbench = lesson.workbench
baseline = workbench.open("dense-mnist-5k", "mnist-5k").wait()
workbench.results()

# %% name="layers"
for layer in baseline.description.layers:
    if layer.parameters:
        print(f"{layer.name:12} {layer.kind:8} {layer.output_shape!s:8} {layer.parameters:>8,} {layer.macs or 0:>8,} MACs")

# %% [markdown] lang="en"
# A MAC is one multiplication and one addition: what inference consists of.
#
# ## 1. Half as wide
#
# *Width scaling* multiplies every width by a factor and trains the narrower network from scratch. Inputs
# (784 pixels) and outputs (10 classes) stay.

# %% [markdown] lang="zh_CN"
# MAC 是一次乘法加一次加法：推理就是由它们组成的。
#
# ## 1. 宽度减半
#
# *宽度缩放*把每一层的宽度乘以一个系数，再从头训练变窄的网络。输入（784 个像素）和输出（10 个类别）不变。

# %% name="predict-macs"
seconds = lesson.seconds("structure.width", factor=0.5, epochs=5)
lesson.predict("macs", seconds=seconds)

# %% name="lock-macs" tags=["solution"]
lesson.lock("macs", 4)

# %% name="predict-f1"
lesson.predict("f1", seconds=seconds)

# %% name="lock-f1" tags=["solution"]
lesson.lock("f1", -1)

# %% name="narrow"
lesson.require("macs", "f1")
narrow = workbench.structure.width(factor=0.5, epochs=5).wait()
workbench.results()

# %% name="measured-macs"
lesson.measured("macs", baseline.description.macs / narrow.description.macs)

# %% name="measured-f1"
from workbench.measure.records import Interval

change = lesson.row(narrow).quality_change.change
lesson.measured("f1", Interval(value=100 * change.value, low=100 * change.low, high=100 * change.high))

# %% [markdown] lang="en"
# ### Check: why not a quarter?
#
# In a hidden layer between two hidden layers both sides become half as wide: a quarter of the MACs. Count
# the MACs of the narrow network (64-32-10 on 784 inputs; biases and activations do not count).

# %% [markdown] lang="zh_CN"
# ### 检查：为什么不是四分之一？
#
# 夹在两个隐藏层之间的层，两边都减半：MAC 变为四分之一。请算出变窄后的网络（784 个输入，64-32-10）的 MAC 数
# （偏置和激活不算）。

# %% name="check-macs"
# region solution
macs = 784 * 64 + 64 * 32 + 32 * 10
# region exercise
# macs = ...
# endregion
lesson.check("macs", macs, narrow)

# %% [markdown] lang="en"
# ### Fewer MACs, less time?
#
# The verdict on speed is of the same file in the same runtime (Keras), timed by turns.

# %% [markdown] lang="zh_CN"
# ### MAC 少了，时间就少了吗？
#
# 速度的结论是在同一个运行时（Keras）里轮流计时得出的。

# %% name="speed"
row = lesson.row(narrow)
{
    both("MACs, times fewer", "MAC 减少的倍数"): baseline.description.macs / narrow.description.macs,
    both("speed-up, with its interval", "加速比及区间"): (row.speed.speedup.value, row.speed.speedup.low, row.speed.speedup.high),
    both("verdict", "结论"): row.speed.word if row.distrust is None else str(row.distrust),
}

# %% [markdown] lang="en"
# In Keras a call of so small a network is mostly the way *to* the arithmetic: Python, TensorFlow's dispatch,
# copies. Where that dominates, fewer MACs cannot show. In a lean runtime (lesson 3) or a larger network they
# do. So MACs are a property of the model; time is one of model, runtime and machine.

# %% [markdown] lang="zh_CN"
# 在 Keras 里，这么小的网络一次调用的时间主要花在*通往*计算的路上：Python、TensorFlow 的调度、数据拷贝。
# 当这部分占主导时，减少 MAC 就看不出来；换成精简的运行时（第 3 课）或更大的网络，才看得出来。
# 所以，MAC 是模型的属性；时间则取决于模型、运行时和机器三者。

# %% [markdown] lang="en"
# ## 2. Zeros instead: the failure of this lesson
#
# *Sparsity* sets the smallest weights to zero while the network trains on. Eight of ten weights vanish, and
# with them, one would think, eight of ten multiplications.

# %% [markdown] lang="zh_CN"
# ## 2. 改用置零：本课的失败
#
# *稀疏化*在继续训练的同时把最小的权重置为零。十个权重里有八个消失了，照理说，十次乘法里也该消失八次。

# %% name="predict-sparse"
seconds = lesson.seconds("structure.sparsity", share=0.8, epochs=5)
lesson.predict("sparse", seconds=seconds)

# %% name="lock-sparse" tags=["solution"]
lesson.lock("sparse", "no measurable change")

# %% name="predict-file"
lesson.predict("file")

# %% name="lock-file" tags=["solution"]
lesson.lock("file", 1)

# %% name="sparse"
lesson.require("sparse", "file")
sparse = workbench.structure.sparsity(share=0.8, epochs=5).wait()
row = lesson.row(sparse)
lesson.measured("sparse", row.speed.word, doubt=row.distrust)

# %% name="measured-file"
lesson.measured("file", row.size_change.ratio)

# %% [markdown] lang="en"
# A zero takes as many bytes as any other float32, and a dense matrix product multiplies by it like by any
# other number. What zeros do bring is a file that *packs* better. The table has both sizes.

# %% [markdown] lang="zh_CN"
# 零和别的 float32 占同样多的字节，稠密矩阵乘法也照样乘它。零真正带来的是文件*压缩*得更好。下面是两种大小。

# %% name="packed"
plain, zeros = lesson.row(baseline).size, row.size
{
    both("file, bytes", "文件，字节"): (plain.file_bytes, zeros.file_bytes),
    both("file after gzip, bytes", "gzip 之后，字节"): (plain.gzip_bytes, zeros.gzip_bytes),
    both("share of zeros", "零的比例"): row.zeros,
}

# %% name="check-packed"
# region solution
packed_ratio = plain.gzip_bytes / zeros.gzip_bytes
# region exercise
# packed_ratio = ...  # times smaller after gzip, against the baseline after gzip
# endregion
lesson.check("packed", packed_ratio, plain, zeros)

# %% name="ask-zeros"
lesson.ask("zeros")

# %% name="answer-zeros" tags=["solution"]
lesson.answer("zeros")

# %% [markdown] lang="en"
# ## 3. Your turn, in the panel
#
# Every structure technique is here: pruning removes whole channels and keeps the trained rest. Say first
# what you expect, then click. Each form shows the plain code that does the same.

# %% [markdown] lang="zh_CN"
# ## 3. 轮到你了：用面板
#
# 所有结构方法都在这里：剪枝去掉整个通道，保留其余训练好的部分。先说出你的预期，再点击。每个表单都会显示做同样事情的纯代码。

# %% name="panel"
StructurePanel(workbench)

# %% name="chart"
TradeoffChart(workbench)

# %% [markdown] lang="en"
# ## Why?
#
# 1. Why does halving the width of a network not halve its MACs, in general?
# 2. The narrow network was trained from scratch, the sparse one went on from trained weights. What does that
#    do to the comparison of their F1?
# 3. Where would you put the zeros if your chip skips whole rows of 16?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. 一般来说，为什么网络宽度减半，MAC 并不是恰好减半？
# 2. 变窄的网络是从头训练的，稀疏的网络是在训练好的权重上继续的。这对两者 F1 的比较意味着什么？
# 3. 如果你的芯片能整行（每行 16 个）跳过零，你会把零放在哪里？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - A narrower network has fewer weights and MACs everywhere; how much depends on which sides are halved.
# - MACs are no time: below a certain size the way to the arithmetic costs more than the arithmetic.
# - Scattered zeros pack well. They are not skipped by dense kernels, and not smaller in the file.
#
# **Sources**: S. Han et al., *Learning both Weights and Connections*, NeurIPS 2015. H. Li et al., *Pruning
# Filters for Efficient ConvNets*, ICLR 2017. S. Gray et al., *GPU Kernels for Block-Sparse Weights*, 2017.
# MIT 6.5940, lectures on pruning and sparsity.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 更窄的网络在哪里都有更少的权重和 MAC；少多少取决于哪些边减半。
# - MAC 不等于时间：网络小到一定程度，通往计算的路比计算本身更贵。
# - 零散的零压缩得好；稠密内核不会跳过它们，文件也不会变小。
#
# **参考文献**：S. Han et al., *Learning both Weights and Connections*, NeurIPS 2015. H. Li et al., *Pruning
# Filters for Efficient ConvNets*, ICLR 2017. S. Gray et al., *GPU Kernels for Block-Sparse Weights*, 2017.
# MIT 6.5940 关于剪枝与稀疏的课程。
