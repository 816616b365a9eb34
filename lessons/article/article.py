# %% [markdown] lang="en"
# # The article, run
#
# This project implements an article on optimizing neural networks. It has five examples: a smaller structure,
# another optimizer, an engine for the GPU, 8-bit weights, and a student that learns from a teacher. Here each
# of them runs twice: as plain Keras or TensorFlow, written as one writes it today, and as a click in a panel
# that does the same. Then the article's questions are answered with tables that this notebook measures.
#
# No number stands in the text: each is printed by the cell above it, and is that of your machine.
# Cells that take long say before how long.

# %% [markdown] lang="zh_CN"
# # 把那篇文章跑起来
#
# 本项目实现的是一篇讲神经网络优化的文章。文中有五个例子：更小的结构、换一种优化器、GPU 推理引擎、8 位权重，
# 以及跟教师学习的学生。这里每个例子都做两遍：一遍是今天通行写法的 Keras 或 TensorFlow 代码，一遍是面板上
# 效果相同的一次点击。之后，用本 notebook 测出来的表格回答文章提出的问题。
#
# 正文里不写任何测量值：数字都由上方的单元格打印，来自你的机器。耗时较长的单元格会事先说明要多久。

# %% name="start" lang="en"
import contextlib
import io

import numpy as np
import pandas as pd

from workbench import quiet_tensorflow

quiet_tensorflow()  # no word about GPUs that are not there

import keras
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score

import workbench
from widgets import DistillationPanel, InferencePanel, QuantizationPanel, StructurePanel, TradeoffChart, TrainingPanel

tf.get_logger().setLevel("ERROR")
pd.set_option("display.max_colwidth", 200)
keras.utils.clear_session()  # names its models in the same way each time this cell is run
keras.utils.set_random_seed(0)

# %% name="start" lang="zh_CN"
import contextlib
import io

import numpy as np
import pandas as pd

from workbench import quiet_tensorflow

quiet_tensorflow()  # 不提示“没有 GPU”

import keras
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score

import workbench
from widgets import DistillationPanel, InferencePanel, QuantizationPanel, StructurePanel, TradeoffChart, TrainingPanel
from workbench.api.text import use_language

use_language("zh_CN")
tf.get_logger().setLevel("ERROR")
pd.set_option("display.max_colwidth", 200)
keras.utils.clear_session()  # 每次运行本单元格时，模型的名字都相同
keras.utils.set_random_seed(0)

# %% name="data"
x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
x_train, y_train, x_test, y_test = x[:1200], y[:1200], x[1200:], y[1200:]
x_train.shape, x_test.shape

# %% [markdown] lang="en"
# ## 1. Structure: fewer and narrower layers
#
# The article's model is a class of its own, and its answer to "too large" is the same class with half of the
# units. Both are typed here as they stand there.

# %% [markdown] lang="zh_CN"
# ## 1. 结构：更少、更窄的层
#
# 文章的模型是一个自定义的类；嫌它太大时，文章的办法是把同一个类的单元数减半。下面照原样写出这两个模型。

# %% name="model"
class SimpleModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = keras.layers.Dense(128, activation="relu")
        self.dense2 = keras.layers.Dense(64, activation="relu")
        self.dense3 = keras.layers.Dense(10, activation="softmax")

    def call(self, inputs):
        return self.dense3(self.dense2(self.dense1(inputs)))


class OptimizedModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = keras.layers.Dense(64, activation="relu")
        self.dense2 = keras.layers.Dense(32, activation="relu")
        self.dense3 = keras.layers.Dense(10, activation="softmax")

    def call(self, inputs):
        return self.dense3(self.dense2(self.dense1(inputs)))


EPOCHS = 15
model, successor = SimpleModel(), OptimizedModel()
for one in (model, successor):
    one.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    one.fit(x_train, y_train, epochs=EPOCHS, verbose=0)


def f1(predictions):
    """Macro F1 on the test split, of probabilities or scores."""
    return f1_score(y_test, np.argmax(predictions, axis=-1), average="macro")


pd.DataFrame(
    {
        both("parameters", "参数量"): [one.count_params() for one in (model, successor)],
        "F1": [f1(one.predict(x_test, verbose=0)) for one in (model, successor)],
    },
    index=["SimpleModel", "OptimizedModel"],
)

# %% [markdown] lang="en"
# Two numbers without intervals, and no time: is the successor good enough, and is it faster? Open the model.
# `workbench.open(model, (x_test, y_test))` is enough to measure it; with the training split the techniques
# that train can work too. Your object is not changed: its class is called once on a symbolic input, and the
# layers that it calls become a graph.

# %% [markdown] lang="zh_CN"
# 两个没有置信区间的数字，也没有时间：后继模型够好吗？它更快吗？打开模型看看。
# 只要测量，`workbench.open(model, (x_test, y_test))` 就够了；再给出训练集，需要训练的方法也能用。
# 你的对象不会被改动：它的类只在符号输入上调用一次，所调用的层成为一张计算图。

# %% name="open"
bench = workbench.open(
    model,
    {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test},
    scaling="none",  # the arrays are scaled already
    name="SimpleModel",
)
bench.baseline

# %% name="successor"
bench.add(successor, name="OptimizedModel").wait()
bench.results()

# %% [markdown] lang="en"
# The panel does the same from the open model: *Width*, with the factor that halves each hidden layer. Both
# ways must give a model of the same size, which the next cell checks.

# %% [markdown] lang="zh_CN"
# 面板从打开的模型出发做同样的事：选择“宽度”，系数取把每个隐藏层减半的值。两种做法得到的模型必须一样大，
# 后面的单元格会核对。

# %% name="structure-panel"
StructurePanel(bench)

# %% name="structure"
def announce(technique, **parameters):
    """Prints how long a technique is expected to take on this machine."""
    expected = bench.estimate(technique, parameters=parameters).seconds
    print(both("Expected here: about {} s", "预计在这台机器上约需 {} 秒").format(round(expected)))
    return parameters


def frame(*columns):
    """Columns of all results, one line per variant."""
    return bench.results().to_frame().set_index("name")[list(columns)]


narrow = bench.structure.width(**announce("structure.width", factor=0.5, epochs=EPOCHS)).wait()
same = narrow.description.parameters == successor.count_params()
print(both("As many parameters as the class that was typed:", "参数量与手写的类相同："), same)
frame("parameters", "file_bytes", "size_ratio", "f1", "f1_change", "quality")

# %% [markdown] lang="en"
# ## 2. Training: SGD with momentum against Adam
#
# The article changes the optimizer and looks at one run. The plain code is one line of `compile`:

# %% [markdown] lang="zh_CN"
# ## 2. 训练：带动量的 SGD 与 Adam
#
# 文章换了优化器，看一次运行的结果。代码只差 `compile` 中的一行：

# %% name="sgd"
keras.utils.set_random_seed(0)
other = SimpleModel()
other.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
history = other.fit(x_train, y_train, validation_split=0.1, epochs=EPOCHS, verbose=0).history
pd.DataFrame(history)[["val_accuracy"]].T.round(3)

# %% [markdown] lang="en"
# One run says little: another seed gives another curve. The panel trains several seeds with each optimizer,
# from the same new weights, and asks what a user of an optimizer wants to know: after how many seconds is a
# given F1 reached, and does the interval over the seeds exclude "no difference"?

# %% [markdown] lang="zh_CN"
# 一次运行说明不了什么：换一个随机种子，曲线就不同。面板用几个种子分别训练两种优化器，都从相同的新权重开始，
# 并回答使用者真正关心的问题：多少秒后达到某个 F1？跨种子的置信区间是否排除“没有差别”？

# %% name="training-panel"
TrainingPanel(bench)

# %% name="training"
def table(number, report):
    """A table of a report."""
    found = report.tables[number]
    return pd.DataFrame([[str(cell) for cell in row] for row in found.rows], columns=[str(c) for c in found.columns])


def notes(report):
    """What a report says."""
    for note in report.notes:
        print("-", note)


trained = bench.training.retrain(
    **announce(
        "training.retrain",
        start="new weights",
        optimizer="SGD",
        learning_rate=0.01,
        momentum=0.9,
        seeds=3,
        compare=True,  # with plain Adam, on the same seeds
        epochs=EPOCHS,
    )
).wait()
notes(trained.report)
table(0, trained.report)

# %% [markdown] lang="en"
# ## 3. Inference: an engine for the GPU
#
# The article converts with TF-TRT, which TensorFlow is no longer built with. Today one exports to ONNX and lets TensorRT
# build the engine. This is the code; without an NVIDIA GPU it is refused, with the reason, before anything
# is made.

# %% [markdown] lang="zh_CN"
# ## 3. 推理：GPU 引擎
#
# 文章用 TF-TRT 转换，而如今的 TensorFlow 已不再带 TF-TRT 编译。如今的做法是导出 ONNX，再由 TensorRT 生成引擎。
# 下面是代码；没有 NVIDIA GPU 时，会在动手之前拒绝，并说明原因。

# %% name="tensorrt-code"
print(bench.code("inference.tensorrt", parameters={"precision": "float16"}))

# %% name="tensorrt"
reason = bench.obstacle("inference.tensorrt")
if reason is None:
    engine = bench.inference.tensorrt(precision="float16").wait()
else:
    print(reason)

# %% [markdown] lang="en"
# What can be had without a GPU is another runtime for the same weights. Nothing is rounded, so nothing can be
# lost; whether it is faster is measured.

# %% [markdown] lang="zh_CN"
# 没有 GPU 也可以让同样的权重换一个运行时。没有任何舍入，也就不会有损失；是否更快，要测了才知道。

# %% name="inference-panel"
InferencePanel(bench)

# %% name="inference"
elsewhere = bench.inference.runtime(runtime="litert").wait()
frame("runtime", "p50_ms", "total_speedup", "total_speedup_low", "total_speedup_high", "f1_change")

# %% [markdown] lang="en"
# ## 4. Quantization: `Optimize.DEFAULT`
#
# The article's converter code still works. The model of a class of its own is converted from the graph that the
# workbench has made of it.

# %% [markdown] lang="zh_CN"
# ## 4. 量化：`Optimize.DEFAULT`
#
# 文章中的转换代码至今可用。自定义类的模型，从工作台为它生成的计算图转换。

# %% name="converter"
def converted(network, *optimizations):
    """The bytes of a LiteRT file."""
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = list(optimizations)
    with contextlib.redirect_stdout(io.StringIO()):  # it lists every weight that it exports
        return converter.convert()


by_hand = converted(keras.saving.load_model(bench.baseline.path), tf.lite.Optimize.DEFAULT)
print(both("Bytes:", "字节数："), len(by_hand))

# %% [markdown] lang="en"
# In the panel this is *Dynamic range*. The next cell checks that both files answer the same for every test
# sample.

# %% [markdown] lang="zh_CN"
# 在面板里，它叫“动态范围”。下一个单元格核对：对每个测试样本，两个文件的输出是否相同。

# %% name="quantization-panel"
QuantizationPanel(bench)

# %% name="quantization"
from ai_edge_litert.interpreter import Interpreter


def answers(content):
    """What a LiteRT file says of the test samples, one at a time."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for sample in x_test:
        interpreter.set_tensor(given["index"], sample[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(made["index"])[0])
    return np.array(found)


light = bench.quantization.dynamic_range().wait()
apart = np.abs(answers(by_hand) - answers(light.path.read_bytes())).max()
print(both("Largest difference between both files' answers:", "两个文件输出的最大差异："), apart)
frame("file_bytes", "size_ratio", "size", "speedup", "speed", "f1_change", "quality")

# %% [markdown] lang="en"
# ## 5. Distillation: what a student learns from a teacher
#
# The article defines a teacher and a student, and then trains the student on the labels alone: the teacher is
# never asked. That is what `OptimizedModel` above is. In distillation the student also learns how probable the
# teacher holds each *wrong* class. Here is the difference in plain code.

# %% [markdown] lang="zh_CN"
# ## 5. 蒸馏：学生从教师那里学到什么
#
# 文章定义了教师和学生，却只用标签训练学生，从没问过教师。上面的 `OptimizedModel` 就是这样得到的。
# 真正的蒸馏里，学生还要学习教师认为每个*错误*类别有多大可能。下面的代码显示两者的差别。

# %% name="distillation-by-hand"
TEMPERATURE, WEIGHT = 4.0, 0.9


def softened(probabilities):
    """Probabilities at a higher temperature: what is unlikely becomes visible."""
    return keras.ops.softmax(keras.ops.log(probabilities + 1e-7) / TEMPERATURE)


soft = keras.ops.convert_to_numpy(softened(model.predict(x_train, verbose=0)))
targets = np.concatenate([y_train[:, None], soft], axis=1).astype("float32")


def taught(targets, probabilities):
    """The loss of a student with a teacher."""
    own = keras.losses.sparse_categorical_crossentropy(targets[:, 0], probabilities)
    teacher = keras.losses.kl_divergence(targets[:, 1:], softened(probabilities))
    return (1 - WEIGHT) * own + WEIGHT * TEMPERATURE**2 * teacher


def student(loss, targets):
    """Trains one from the same weights and in the same order of samples."""
    keras.utils.set_random_seed(1)
    made = OptimizedModel()
    made.compile(optimizer="adam", loss=loss)
    made.fit(x_train, targets, epochs=EPOCHS, verbose=0)
    return f1(made.predict(x_test, verbose=0))


pd.Series(
    {
        both("teacher", "教师"): f1(model.predict(x_test, verbose=0)),
        both("student alone, as in the article", "学生单独训练（文章的做法）"): student("sparse_categorical_crossentropy", y_train),
        both("student with its teacher", "学生跟教师学习"): student(taught, targets),
    },
    name="F1",
).to_frame()

# %% [markdown] lang="en"
# Again one seed, and no interval. The panel trains the same student with and without its teacher from several
# seeds, and says whether the teacher was of use: on data as easy as these it need not be.

# %% [markdown] lang="zh_CN"
# 还是一个种子，没有置信区间。面板用几个种子分别训练有教师和没有教师的同一个学生，并告诉你教师是否有用：
# 数据这么容易时，教师未必有用。

# %% name="distillation-panel"
DistillationPanel(bench)

# %% name="distillation"
distilled = bench.distillation.distill(
    **announce("distillation.distill", student="narrower copy", factor=0.5, compare_seeds=3, epochs=EPOCHS)
).wait()
notes(distilled.report)
table(0, distilled.report)

# %% [markdown] lang="en"
# ## How to choose a technique?
#
# Say what you want, and what it may cost. Techniques stack: here the taught student gets 8-bit weights. Then
# the workbench is asked for the best of all that was made, for each wish.

# %% [markdown] lang="zh_CN"
# ## 怎样选择方法？
#
# 先说想要什么，以及可以为此付出什么。方法可以叠加：这里给蒸馏得到的学生再加上 8 位权重。
# 然后针对每个愿望，问工作台：已有的变体里哪个最好？

# %% name="choose"
from workbench.engine.goal import Goal

stacked = bench.quantization.dynamic_range(distilled).wait()
rows = []
for want in ("smaller", "faster", "both"):
    for points in (0.5, 2.0):
        goal = Goal(want=want, f1_may_fall=points / 100)
        best = bench.best(goal)
        name = "–" if best is None else best.variant.name
        doubt = "" if best is None or best.doubt is None else str(best.doubt)
        rows.append((str(goal.words), name, str(bench.conclusion(goal)), doubt))
pd.DataFrame(rows, columns=[both("goal", "目标"), both("best", "最佳"), both("why", "原因"), both("doubt", "存疑")])

# %% [markdown] lang="en"
# The order that this suggests: measure first; if the *file* is too large, begin with what needs no training
# (fewer bits); if *time* is, try another runtime before you change the model, then take operations away; train
# a smaller model, with or without a teacher, when that is not enough. What needs no training is tried in
# seconds, so it is cheaper to try it than to argue about it: `bench.find()` does.

# %% [markdown] lang="zh_CN"
# 由此得到的顺序：先测量；嫌*文件*大，先用不需要训练的办法（更少的位数）；嫌*慢*，先换运行时再改模型，
# 然后减少运算；还不够，再训练更小的模型，带不带教师都可以。不需要训练的方法几秒钟就能试一遍，
# 试比争论便宜：`bench.find()` 就做这件事。

# %% [markdown] lang="en"
# ## How to measure?
#
# Size is exact. Time and F1 are not: each has a 95 % interval, and a verdict only where the interval allows
# one. While variants are made they are timed quickly, in one process. For a number to be published they are timed
# again, in several fresh processes and interleaved, and the energy meter is read where the machine has one.
#
# `speedup` compares with float32 in the *same* runtime, `total_speedup` with the model as it came, so that
# what the runtime brought is not put down to the technique. `distrust` says why a time is not believed, such as
# a busy machine.

# %% [markdown] lang="zh_CN"
# ## 怎样测量？
#
# 大小是精确的。时间和 F1 不是：它们各有 95% 置信区间，区间允许时才下结论。制作变体时只在一个进程里快速计时；
# 要公布的数字，则在几个全新的进程里交错地重新计时，机器有能耗计量器时也一并读取。
#
# `speedup` 与*同一*运行时中的 float32 比较，`total_speedup` 与最初的模型比较，这样运行时带来的好处不会算到
# 方法头上。`distrust` 说明某个时间为什么不可信，例如机器正忙。

# %% name="measure"
chosen = [elsewhere.id, light.id]
print(both("Expected here: about {} s", "预计在这台机器上约需 {} 秒").format(round(bench.estimate_measuring(chosen))))
bench.measure(chosen).wait()
frame("p50_ms", "p50_ms_low", "p50_ms_high", "speedup", "speed", "distrust", "f1_change_low", "f1_change_high", "quality")

# %% [markdown] lang="en"
# The F1 of a class with few test samples is known badly, so small changes stay "not proven": more test samples
# help, more decimals do not.

# %% [markdown] lang="zh_CN"
# 测试样本少的类别，F1 就测不准，小的变化只能是“未证实”：增加测试样本才有用，多写几位小数没有用。

# %% [markdown] lang="en"
# ## How to balance size, speed and quality?
#
# Look at the variants that no other one beats in all three: `on_front`. Everything else is a bad bargain; among
# these, the choice is yours and depends on what an error costs you. A time that is not believed proves nothing, so
# on a busy machine none may be there.

# %% [markdown] lang="zh_CN"
# ## 怎样平衡大小、速度与质量？
#
# 看那些在三方面都没有被别的变体压过的变体，即 `on_front`。其余的都不划算；在它们之中怎么选，由你决定，
# 取决于一次错误的代价。不可信的时间不能证明任何事，所以机器繁忙时可能一个也没有。

# %% name="chart"
TradeoffChart(bench)

# %% name="balance"
frame("on_front", "file_bytes", "p50_ms", "f1", "quality", "distrust").sort_values("file_bytes")

# %% [markdown] lang="en"
# ## And with a larger model?
#
# What a technique brings depends on the size of the model. The same converter on wider versions of the article's
# class: the share of the file that is weights grows, and with it what fewer bits save.

# %% [markdown] lang="zh_CN"
# ## 模型更大时呢？
#
# 一个方法能带来多少，取决于模型的规模。把同一个转换器用在更宽的同类模型上：权重在文件中所占的比例变大，
# 减少位数能省下的也就更多。

# %% name="scale"
def sizes(units):
    """Bytes of a model of so many units, as float32 and with 8-bit weights."""
    made = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(units // 2, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    return made.count_params(), len(converted(made)), len(converted(made, tf.lite.Optimize.DEFAULT))


scale = pd.DataFrame(
    [sizes(units) for units in (32, 128, 512, 1024)],
    columns=[both("parameters", "参数量"), "float32", both("8-bit weights", "8 位权重")],
)
scale[both("times smaller", "缩小倍数")] = (scale.iloc[:, 1] / scale.iloc[:, 2]).round(2)
scale

# %% [markdown] lang="en"
# ## What does it cost in complexity?
#
# How long it took to make each variant, how many settings its technique has, and how many lines of plain code
# do the same.

# %% [markdown] lang="zh_CN"
# ## 复杂度的代价是什么？
#
# 制作每个变体用了多久，它的方法有多少个设置，以及实现同样效果需要多少行代码。

# %% name="complexity"
rows = []
for row in bench.results():
    technique = row.variant.technique
    if technique in bench.techniques():
        code = bench.code(technique, row.variant.parent, row.variant.parameters)
        lines = [text.count("\n") for text in (code.script, *code.helpers.values())]
        settings = len(bench.techniques()[technique].parameters_type.model_fields)
        rows.append((row.variant.name, round(row.made_in_s, 1), settings, lines[0], sum(lines[1:])))
pd.DataFrame(
    rows,
    columns=[
        both("variant", "变体"),
        both("seconds to make", "制作秒数"),
        both("settings", "设置数"),
        both("lines of plain code", "代码行数"),
        both("lines that it imports", "所导入代码的行数"),
    ],
).set_index(both("variant", "变体"))

# %% [markdown] lang="en"
# ## Does it still decide for the same reasons?
#
# Equal F1 does not mean equal answers. How many test samples are answered otherwise than before, and which class
# lost most? For variants that Keras can run, also: do the same pixels matter? That is the mean correlation of the
# gradients of the winning class with respect to the inputs, against the model as it came.

# %% [markdown] lang="zh_CN"
# ## 它作判断的依据还一样吗？
#
# F1 相同不等于答案相同。有多少测试样本的答案变了？哪个类别损失最大？对 Keras 能运行的变体，还可以问：
# 起作用的还是那些像素吗？这里取胜出类别对输入的梯度，计算它与原模型梯度的平均相关系数。

# %% name="interpretability"
def gradients(path):
    """Of the winning class's score with respect to the inputs, for some test samples."""
    network, inputs = keras.saving.load_model(path, compile=False), tf.constant(x_test[:200])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        winning = tf.reduce_sum(tf.math.log(tf.reduce_max(network(inputs), axis=-1) + 1e-7))
    return tape.gradient(winning, inputs).numpy()


before = gradients(bench.baseline.path)
rows = []
for variant in bench.variants[1:]:
    details = bench.details(variant.id)
    change = np.subtract(details.f1_after, details.f1_before)
    alike = None
    if variant.format == "keras":
        pairs = zip(before, gradients(variant.path))
        alike = np.mean([np.corrcoef(one, two)[0, 1] for one, two in pairs if one.std() and two.std()])
    rows.append((variant.name, len(details.flips), details.classes[change.argmin()], change.min(), alike))
pd.DataFrame(
    rows,
    columns=[
        both("variant", "变体"),
        both("answers that changed", "改变的答案数"),
        both("class that lost most", "损失最大的类别"),
        both("its change of F1", "该类别的 F1 变化"),
        both("gradients alike", "梯度相关"),
    ],
).set_index(both("variant", "变体"))

# %% [markdown] lang="en"
# A model that was trained anew may be as good and look elsewhere; a file with fewer bits stays close to the one
# that it was made from.

# %% [markdown] lang="zh_CN"
# 重新训练的模型可能一样好，看的却是别处；位数更少的文件，与它的来源很接近。

# %% [markdown] lang="en"
# ## Is it sustainable?
#
# Making a variant costs computing time, each answer saves some. `break_even` is the number of answers after
# which that is paid back; it is empty where the variant is not faster. Energy is read from the processor's meter
# where the machine has one; else the reason is shown.

# %% [markdown] lang="zh_CN"
# ## 可持续吗？
#
# 制作变体要花计算时间，之后每次推理省下一点。`break_even` 是回本所需的推理次数；变体不更快时为空。
# 能耗从处理器的计量器读取；机器没有计量器时，显示原因。

# %% name="sustainability"
rows = []
for row in bench.results():
    meter = row.energy
    known = meter is not None and meter.joules_per_sample is not None
    why = None if meter is None or known else str(meter.reason)
    energy = 1000 * meter.joules_per_sample if known else None
    rows.append((row.variant.name, round(row.made_in_s, 1), row.break_even, energy, why))
pd.DataFrame(
    rows,
    columns=[
        both("variant", "变体"),
        both("seconds to make", "制作秒数"),
        "break_even",
        both("mJ per answer", "每次推理 mJ"),
        both("why unknown", "未知的原因"),
    ],
).set_index(both("variant", "变体"))

# %% [markdown] lang="en"
# ## Take it home
#
# The recipe makes a variant again from this or another model. The folder holds all that was measured; run the
# notebook again and nothing is made twice.

# %% [markdown] lang="zh_CN"
# ## 带回家
#
# 用配方可以从这个或别的模型再做出同样的变体。所有测量结果都在文件夹里；再次运行本 notebook，不会重复制作。

# %% name="recipe"
print(bench.recipe(stacked).to_yaml())
print(bench.folder)
