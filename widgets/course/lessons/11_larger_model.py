# %% [markdown] lang="en"
# # 11 · A larger model
#
# **Plan**: 40 minutes. **You need**: lessons 1, 3 and 4. **Questions**: Where are the weights of a network, and
# where are its operations? Which technique pays where?
#
# The dense network of the first lessons was almost all weights and hardly any arithmetic. Here is a residual network
# of convolutions. It is small as such networks go, but it has what large ones have: few weights that are used many
# times.

# %% [markdown] lang="zh_CN"
# # 11 · 更大的模型
#
# **计划**：40 分钟。**前提**：第 1、3、4 课。**问题**：网络的权重在哪里，运算又在哪里？哪种方法在哪里划算？
#
# 前几课的全连接网络几乎全是权重，运算很少。这里是一个残差卷积网络。在同类中它算小的，但具备大网络的特点：
# 权重不多，却被反复使用。

# %% tags=["hidden"]
prediction(
    "reuse",
    both("In the dense networks each weight is used once for a sample (one MAC for each weight). How many times is a weight used here, on average?", "在全连接网络里，每个权重对一个样本只用一次（每个权重一次 MAC）。在这里，一个权重平均被用多少次？"),
    unit="×",
)
prediction(
    "int8",
    both("int8 against float32 in LiteRT, on this network. The speed?", "在这个网络上，int8 与 LiteRT 里的 float32 相比，速度会怎样？"),
    choices={
        "faster": both("measurably faster", "测得出更快"),
        "no measurable change": both("no measurable change", "未测出差异"),
        "slower": both("measurably slower", "测得出更慢"),
    },
)


def layers():
    return lesson.workbench.baseline.description.layers


@check("conv", both("MACs of a convolution", "一个卷积的 MAC 数"), within=1e-9, explanation=both("The kernel is walked over every position: few weights, many MACs.", "卷积核要走遍每个位置：权重少，MAC 多。"))
def _(height, width, inputs, outputs, kernel):
    right = height * width * inputs * outputs * kernel * kernel
    yield right
    yield inputs * outputs * kernel * kernel, both("Those are its weights. Each is used at every position.", "这是权重个数。每个权重在每个位置都要用一次。")
    yield height * width * inputs * outputs * kernel, both("The kernel has two sides.", "卷积核有两条边。")
    yield height * width * outputs * kernel * kernel, both("Each output channel reads every input channel.", "每个输出通道要读所有输入通道。")
    yield 2 * right, both("A MAC is one multiplication with its addition.", "一次 MAC 是一次乘法连同它的加法。")


@check("heaviest", both("The layer with most MACs", "MAC 最多的层"))
def _():
    counted = [layer for layer in layers() if layer.macs]
    most = max(layer.macs for layer in counted)
    weights = max(layer.parameters for layer in counted)
    yield lambda answer: answer in {layer.name for layer in counted if layer.macs == most}
    yield lambda answer: answer in {layer.name for layer in counted if layer.parameters == weights}, both("That one has most weights. Which has most MACs?", "这是权重最多的层。哪一层 MAC 最多？")


question(
    "where",
    both("You need a smaller file. In which layers do you look first? And for a shorter time?", "你需要更小的文件，先看哪些层？想要更短的时间呢？"),
    {
        "same": both("the same layers for both", "两者看同样的层"),
        "split": both("file: where the weights are; time: where the MACs are", "文件：看权重在哪；时间：看 MAC 在哪"),
        "last": both("the last layer for both", "两者都看最后一层"),
    },
    "split",
    hints={
        "same": both("Compare the two columns of the table above.", "比较上表的两列。"),
        "last": both("What share of the MACs does it have?", "它占 MAC 的多大比例？"),
    },
    explanation=both("In a convolutional network these are often different layers.", "在卷积网络里，这往往是不同的层。"),
)

# %% name="lesson"
from widgets import InferencePanel, QuantizationPanel, StructurePanel, TradeoffChart
from widgets.course import Lesson

lesson = Lesson("11-larger-model", language=both("en", "zh_CN"))
workbench = lesson.workbench
baseline = workbench.open("cnn-mnist-5k", "mnist-5k").wait()
workbench.results()

# %% [markdown] lang="en"
# ## 1. Operations
#
# A convolution with a kernel of 3 × 3 reads 16 channels and writes 32, on a picture of 14 × 14 positions (padding
# keeps its size). How many MACs are that for a sample?

# %% [markdown] lang="zh_CN"
# ## 1. 运算
#
# 一个 3 × 3 卷积核的卷积，读 16 个通道、写 32 个通道，图像有 14 × 14 个位置（填充保持大小不变）。一个样本需要多少 MAC？

# %% name="check-conv"
height, width, inputs, outputs, kernel = 14, 14, 16, 32, 3
# region solution
macs = height * width * inputs * outputs * kernel * kernel
# region exercise
# macs = ...
# endregion
lesson.check("conv", macs, height, width, inputs, outputs, kernel)

# %% name="predict-reuse"
lesson.predict("reuse")

# %% name="lock-reuse" tags=["solution"]
lesson.lock("reuse", 20)

# %% name="reuse"
lesson.require("reuse")
for layer in baseline.description.layers:
    if layer.parameters:
        print(f"{layer.name:24} {layer.kind:20} {layer.parameters:>8,} {layer.macs or 0:>12,} MACs")
lesson.measured("reuse", baseline.description.macs / baseline.description.parameters)

# %% name="check-heaviest"
# region solution
heaviest = max((layer for layer in baseline.description.layers if layer.macs), key=lambda layer: layer.macs).name
# region exercise
# heaviest = ...  # its name
# endregion
lesson.check("heaviest", heaviest)

# %% name="ask-where"
lesson.ask("where")

# %% name="answer-where" tags=["solution"]
lesson.answer("where")

# %% [markdown] lang="en"
# ## 2. Bits again
#
# In lesson 4 the arithmetic of the whole model was shorter than a look at the clock. Here there is some. Predict anew.

# %% [markdown] lang="zh_CN"
# ## 2. 再来看位数
#
# 第 4 课里，整个模型的运算比看一眼时钟还短。这里的运算多一些。请重新预测。

# %% name="predict-int8"
lesson.predict("int8", seconds=lesson.seconds("quantization.int8"))

# %% name="lock-int8" tags=["solution"]
lesson.lock("int8", "faster")

# %% name="int8"
lesson.require("int8")
int8 = workbench.quantization.int8().wait()
row = lesson.row(int8)
lesson.measured("int8", row.speed.word, doubt=row.distrust)

# %% name="results"
workbench.results()

# %% [markdown] lang="en"
# If yours came out slower, that is the failure of this lesson: LiteRT's int8 kernels for convolutions are made for
# chips with fast int8 products. On others the float32 kernels win, and int8 is for size. ONNX Runtime and OpenVINO
# have other kernels, so another runtime may turn the verdict round. If yours came out faster, your chip has what it
# takes: look at the list of its features.

# %% [markdown] lang="zh_CN"
# 如果你的结果是更慢，那就是本课的失败：LiteRT 的 int8 卷积内核是为有快速 int8 乘积的芯片而写的。
# 在别的芯片上 float32 内核更快，int8 只用来减小体积。ONNX Runtime 和 OpenVINO 的内核不同，换个运行时结论可能反过来。
# 如果你的结果是更快，说明你的芯片具备条件：看看它的特性列表。

# %% name="features"
workbench.environment.features

# %% [markdown] lang="en"
# ## 3. Your turn, in the panels
#
# Pruning takes whole channels out, with everything that depends on them: in a residual network the two sides of an
# addition must stay alike. Compare its operations and its time with what halving the bits brought. A text
# transformer or a network of your own opens in the same way (lesson 10).

# %% [markdown] lang="zh_CN"
# ## 3. 轮到你了：用面板
#
# 剪枝去掉整个通道以及依赖它的一切：在残差网络里，加法两边必须保持一致。把它的运算量和时间与减少位数的效果比一比。
# 文本 Transformer 或你自己的网络也以同样的方式打开（第 10 课）。

# %% name="structure"
StructurePanel(workbench)

# %% name="quantization"
QuantizationPanel(workbench)

# %% name="inference"
InferencePanel(workbench)

# %% name="chart"
TradeoffChart(workbench)

# %% [markdown] lang="en"
# ## Why?
#
# 1. A transformer uses each weight once for every token. Is it more like the dense network or like this one?
# 2. Why may pruning halve the MACs of a convolution and not its time?
# 3. What limits a model whose weights do not fit into the processor's cache?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. Transformer 对每个词元都要用一遍每个权重。它更像全连接网络，还是更像这里的网络？
# 2. 为什么剪枝能让一个卷积的 MAC 减半，时间却不一定？
# 3. 如果模型的权重放不进处理器的缓存，受限的是什么？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - Weights make the file, operations make the time; they are often in different layers.
# - The same technique has another verdict on another network: measure anew.
#
# **Sources**: S. Williams, A. Waterman, D. Patterson, *Roofline*, CACM 2009. K. He et al., *Deep Residual Learning*,
# CVPR 2016. H. Li et al., *Pruning Filters for Efficient ConvNets*, ICLR 2017.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 权重决定文件，运算决定时间；它们往往在不同的层。
# - 同样的方法换个网络，结论可能不同：要重新测。
#
# **参考文献**：S. Williams, A. Waterman, D. Patterson, *Roofline*, CACM 2009. K. He et al., *Deep Residual
# Learning*, CVPR 2016. H. Li et al., *Pruning Filters for Efficient ConvNets*, ICLR 2017.
