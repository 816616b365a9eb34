# %% [markdown] lang="en"
# # 3 · Inference and runtimes
#
# **Plan**: 35 minutes. **You need**: lesson 0. **Questions**: What changes if the same weights run elsewhere?
# When do threads and batches help?
#
# Nothing about the model changes in this lesson: same layers, same weights, same answers. Only the program that
# runs it does. That is the cheapest optimization there is, and for small models often the largest.

# %% [markdown] lang="zh_CN"
# # 3 · 推理与运行时
#
# **计划**：35 分钟。**前提**：第 0 课。**问题**：同样的权重换个地方运行，会有什么变化？线程和批什么时候有用？
#
# 本课里模型本身什么都不变：同样的层、同样的权重、同样的答案，只换运行它的程序。这是最便宜的优化，对小模型往往也是收效最大的。

# %% tags=["hidden"]
FASTER = {
    "faster": both("measurably faster", "测得出更快"),
    "no measurable change": both("no measurable change", "未测出差异"),
    "slower": both("measurably slower", "测得出更慢"),
}
prediction(
    "litert",
    both("The same float32 model in LiteRT instead of Keras: how many times faster?", "同一个 float32 模型，用 LiteRT 代替 Keras：快几倍？"),
    unit="×",
)
prediction(
    "answers",
    both(
        "And of the test samples, how many get another class than in Keras?",
        "测试样本中，有多少个的类别和 Keras 给出的不同？",
    ),
    scale="difference",
)
prediction(
    "threads",
    both("Two threads instead of one, one sample a call. The speed?", "两个线程代替一个，每次调用一个样本。速度会怎样？"),
    choices=FASTER,
)


@check(
    "throughput",
    both("Samples per second", "每秒样本数"),
    explanation=both(
        "One number is the other upside down, as long as one call runs at a time.",
        "只要同一时刻只有一次调用，两个数就互为倒数。",
    ),
)
def _(milliseconds, batch):
    yield 1000 * batch / milliseconds
    yield batch / milliseconds, both("Those are samples per millisecond.", "这是每毫秒的样本数。")
    yield 1000 / milliseconds, both("Those are calls per second; each has several samples.", "这是每秒调用次数；每次调用有好几个样本。")
    yield milliseconds / batch, both("That is the time of a sample.", "这是一个样本所需的时间。")


@check(
    "total",
    both("The speed-up of both steps together", "两步合起来的加速比"),
    explanation=both(
        "Ratios multiply. Quote both: what the runtime brought and what the technique brought.",
        "比值是相乘的。两个都要报告：运行时带来的，和方法带来的。",
    ),
)
def _(first, second):
    yield first * second
    yield first + second, both("Ratios multiply, they do not add.", "比值是相乘，不是相加。")
    yield first / second, both("The second goes on from the first.", "第二步是在第一步的基础上继续。")
    yield (first + second) / 2, both("The mean of two ratios is the speed-up of nothing.", "两个比值的平均不是任何东西的加速比。")


question(
    "latency",
    both(
        "A batch of 32 gives more samples per second than 32 calls. A user waits for one answer. What do you use?",
        "批大小 32 每秒处理的样本比调用 32 次更多。而用户在等一个答案。你用哪个？",
    ),
    {
        "batch": both("The batch: its throughput is higher.", "用批：吞吐量更高。"),
        "one": both("One sample a call: the user would wait for 31 others.", "每次一个样本：否则用户要等另外 31 个。"),
        "same": both("It makes no difference to the user.", "对用户没有区别。"),
    },
    "one",
    hints={
        "batch": both("Throughput is what your machine does; latency is what the user feels.", "吞吐量是机器的事；延迟才是用户的感受。"),
        "same": both("Who waits until a batch is full, and until all of it is computed?", "谁在等这一批装满，又等它全部算完？"),
    },
    explanation=both(
        "For a nightly job over a million pictures it is the other way round.",
        "如果是夜间处理一百万张图的任务，就正好相反。",
    ),
)

# %% name="lesson"
from widgets import InferencePanel, TradeoffChart
from widgets.course import Lesson

lesson = Lesson("3-inference", language=both("en", "zh_CN"))
workbench = lesson.workbench
baseline = workbench.open("dense-digits", "digits").wait()
workbench.results()

# %% [markdown] lang="en"
# ## 1. Another runtime

# %% [markdown] lang="zh_CN"
# ## 1. 换一个运行时

# %% name="predict-litert"
seconds = lesson.seconds("inference.runtime", runtime="litert", threads=1)
lesson.predict("litert", seconds=seconds)

# %% name="lock-litert" tags=["solution"]
lesson.lock("litert", 3)

# %% name="predict-answers"
lesson.predict("answers", seconds=seconds)

# %% name="lock-answers" tags=["solution"]
lesson.lock("answers", 0)

# %% name="litert"
lesson.require("litert", "answers")
litert = workbench.inference.runtime(runtime="litert", threads=1).wait()
row = lesson.row(litert)
lesson.measured("litert", row.total_speedup, doubt=row.distrust or row.total_distrust)

# %% name="measured-answers"
lesson.measured("answers", len(workbench.details(litert.id).flips))

# %% [markdown] lang="en"
# Keras dispatches every call through Python and TensorFlow, which is made for training and for everything else.
# LiteRT reads a flat file and walks through a fixed list of kernels. The arithmetic is the same; the last digits
# may differ, because sums are added in another order.

# %% [markdown] lang="zh_CN"
# Keras 的每次调用都要经过 Python 和 TensorFlow，它们是为训练和各种其他用途设计的。LiteRT 读入一个平铺的文件，
# 按固定的列表依次执行内核。运算是一样的；由于求和顺序不同，最后几位数字可能有差别。

# %% [markdown] lang="en"
# ## 2. The failure of this lesson: more threads
#
# This machine has the number of cores below. Two threads, twice as fast?

# %% [markdown] lang="zh_CN"
# ## 2. 本课的失败：更多线程
#
# 这台机器的核数如下。两个线程，快一倍？

# %% name="cores"
workbench.environment.cores

# %% name="predict-threads"
lesson.predict("threads", seconds=lesson.seconds("inference.runtime", runtime="litert", threads=2))

# %% name="lock-threads" tags=["solution"]
lesson.lock("threads", "faster")

# %% name="threads"
lesson.require("threads")
from workbench.api.errors import WorkbenchError

try:
    two = workbench.inference.runtime(runtime="litert", threads=2).wait()
    row = lesson.row(two)
    print(two.name, "p50", row.shown_ms.value, "ms;", litert.name, lesson.row(litert).shown_ms.value, "ms")
    verdict, doubt = row.speed.word, row.distrust
except WorkbenchError as error:
    # en: A machine with a single core: the workbench refuses, with the reason.
    # zh_CN: 机器只有一个核：工作台会拒绝，并说明原因。
    print(error)
    verdict, doubt = None, None
lesson.measured("threads", verdict, doubt=doubt)

# %% [markdown] lang="en"
# Threads have to be woken, given their part, and waited for. In a model this small a part is done before its
# thread is awake. Whatever your verdict is: it holds for this model on this machine. In a large convolution the
# same two threads may nearly halve the time.
#
# ## 3. Numbers to carry home
#
# Take these as given: a batch of 8 samples takes 0.5 ms in a call. How many samples per second is that?

# %% [markdown] lang="zh_CN"
# 线程要被唤醒、分到自己那一份、最后还要等它们。在这么小的模型里，线程还没醒，活已经干完了。
# 不管你得到什么结论，它只对这个模型、这台机器成立。换成一个大卷积，同样两个线程可能几乎让时间减半。
#
# ## 3. 带得走的数
#
# 假设：一次调用处理 8 个样本的批，需要 0.5 毫秒。每秒多少个样本？

# %% name="check-throughput"
milliseconds, batch = 0.5, 8
# region solution
per_second = 1000 * batch / milliseconds
# region exercise
# per_second = ...
# endregion
lesson.check("throughput", per_second, milliseconds, batch)

# %% [markdown] lang="en"
# And: the change of runtime made a model 4 times faster, int8 in that runtime another 1.5 times. In all?

# %% [markdown] lang="zh_CN"
# 再假设：换运行时让模型快了 4 倍，在这个运行时里用 int8 又快了 1.5 倍。总共快几倍？

# %% name="check-total"
# region solution
total = 4 * 1.5
# region exercise
# total = ...
# endregion
lesson.check("total", total, 4, 1.5)

# %% name="ask-latency"
lesson.ask("latency")

# %% name="answer-latency" tags=["solution"]
lesson.answer("latency")

# %% [markdown] lang="en"
# ## 4. Your turn, in the panel
#
# Try ONNX Runtime and OpenVINO, other batches, or the grid of all of them. What is missing on this machine is
# greyed out with the reason, such as TensorRT without an NVIDIA GPU.

# %% [markdown] lang="zh_CN"
# ## 4. 轮到你了：用面板
#
# 试试 ONNX Runtime 和 OpenVINO、别的批大小，或者把所有组合做成网格。这台机器没有的会变灰并说明原因，
# 例如没有 NVIDIA GPU 时的 TensorRT。

# %% name="panel"
InferencePanel(workbench)

# %% name="chart"
TradeoffChart(workbench)

# %% [markdown] lang="en"
# ## Why?
#
# 1. Why is a speed-up quoted against float32 *in the same runtime*, and the change of runtime on its own?
# 2. Which of your numbers would change on a telephone, and which would not?
# 3. When would you stay with Keras in production?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. 为什么加速比要与*同一运行时*里的 float32 相比，而换运行时要单独报告？
# 2. 你的哪些数字在手机上会变，哪些不会？
# 3. 什么情况下你会在生产环境里继续用 Keras？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - The runtime is a lever of its own: same answers, another time.
# - Threads and batches cost before they pay. Whether they pay is measured.
# - Latency and throughput are two goals.
# - Speed-ups multiply; each is quoted with what it is against.
#
# **Sources**: R. David et al., *TensorFlow Lite Micro*, MLSys 2021. V. J. Reddi et al., *MLPerf Inference
# Benchmark*, ISCA 2020. G. Amdahl, *Validity of the single processor approach*, AFIPS 1967.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 运行时本身就是一个杠杆：答案相同，时间不同。
# - 线程和批先有开销才有收益；有没有收益，要测。
# - 延迟和吞吐量是两个目标。
# - 加速比相乘；每个加速比都要说明和谁比。
#
# **参考文献**：R. David et al., *TensorFlow Lite Micro*, MLSys 2021. V. J. Reddi et al., *MLPerf Inference
# Benchmark*, ISCA 2020. G. Amdahl, *Validity of the single processor approach*, AFIPS 1967.
