# %% [markdown] lang="en"
# # 10 · Your own model
#
# **Plan**: 60 minutes. **You need**: lessons 0 and 4, a Keras model and labelled arrays. **Question**: What can be
# said about *your* model, and what not yet?
#
# The cell below makes a small model and data, so that the lesson runs as it is. Replace both by your own and leave
# the rest. A `.keras`, `.tflite` or `.onnx` file, a CSV, an `.npz` or a folder of pictures can be opened as well.

# %% [markdown] lang="zh_CN"
# # 10 · 你自己的模型
#
# **计划**：60 分钟。**前提**：第 0、4 课，一个 Keras 模型和带标签的数组。**问题**：关于*你的*模型能下什么结论，
# 还不能下什么结论？
#
# 下面一格会造出一个小模型和数据，让本课原样就能运行。请把两者换成你自己的，其余不动。
# 也可以打开 `.keras`、`.tflite`、`.onnx` 文件，以及 CSV、`.npz` 或图片文件夹。

# %% tags=["hidden"]
prediction(
    "best",
    both("Find tries what needs no training. How many times smaller will what it finds be, with F1 within one point? (1: nothing serves)", "“寻找”会试不需要训练的方法。在 F1 下降不超过一个百分点的前提下，找到的会小几倍？（填 1 表示没有合适的）"),
    unit="×",
)


@check(
    "scaling",
    both("The inputs are scaled as in training", "输入的缩放与训练时一致"),
    explanation=both("The wrong scaling costs accuracy without any error message.", "缩放错了会损失准确率，而且没有任何报错。"),
)
def _(x):
    import numpy as np

    yield lambda answer: np.isclose(answer, float(np.max(x)), rtol=0.01)
    yield float(np.mean(x)), both("That is the mean.", "这是平均值。")
    yield float(np.min(x)), both("That is the smallest value.", "这是最小值。")


@check("unseen", both("Samples that judge the model and that no training has seen", "训练从未见过、用来评估模型的样本数"), within=1e-9)
def _():
    counts = lesson.workbench.dataset_info.counts
    yield counts["test"]
    yield counts["train"], both("Those are trained on.", "这些是用来训练的。")
    yield counts["validation"], both("Those choose (when to stop, which seed). The judge is another split.", "这些用来做选择（何时停止、用哪个种子）。评估用的是另一个划分。")
    yield sum(counts.values()), both("That is all of them.", "这是全部。")


question(
    "leak",
    both("Your test split was made from pictures of the same 20 people as the training split. What is its F1?", "你的测试集和训练集来自同样的 20 个人的照片。它的 F1 是什么？"),
    {
        "fair": both("fair: no picture is in both", "公平：没有同一张照片"),
        "high": both("too high for people whom the model has not seen", "对模型没见过的人来说偏高"),
        "low": both("too low", "偏低"),
    },
    "high",
    hints={
        "fair": both("The model may know the faces. Your users have others.", "模型可能记住了这些面孔，而你的用户是另外的人。"),
        "low": both("What the model has seen of these people helps it on the test split.", "模型在训练时见过这些人，测试时反而更容易。"),
    },
    explanation=both("Split by person, by day, by machine: by what will be new in use.", "按人、按天、按机器来划分：按使用时会是新的那个东西来划分。"),
)

# %% name="lesson"
from widgets import BestLine, TradeoffChart, VariantsTable
from widgets.course import Lesson
from workbench.engine.goal import Goal

lesson = Lesson("10-own-model", language=both("en", "zh_CN"))
workbench = lesson.workbench
lesson

# %% [markdown] lang="en"
# ## 1. Model and data: replace this cell
#
# This is the one cell of the course that imports TensorFlow into the notebook itself, as your own notebook does
# when you train there.

# %% [markdown] lang="zh_CN"
# ## 1. 模型和数据：替换这一格
#
# 整门课只有这一格会把 TensorFlow 导入笔记本本身，就像你在自己的笔记本里训练时那样。

# %% name="yours"
from sklearn.datasets import load_digits

from workbench import quiet_tensorflow

quiet_tensorflow()

import keras

keras.utils.clear_session()
keras.utils.set_random_seed(0)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
x_train, y_train, x_test, y_test = x[:1000], y[:1000], x[1000:], y[1000:]
model = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(96, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ],
    name="my-model",
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=10, verbose=0)

# %% [markdown] lang="en"
# ### Check: what the model is given
#
# What is the largest value among the inputs? Is that what the model was trained on?

# %% [markdown] lang="zh_CN"
# ### 检查：模型得到的是什么
#
# 输入中最大的值是多少？训练时也是这样吗？

# %% name="check-scaling"
# region solution
largest = x_train.max()
# region exercise
# largest = ...
# endregion
lesson.check("scaling", largest, x_train)

# %% name="open"
baseline = workbench.open(
    model, {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}, scaling="none"
).wait()
workbench.results()

# %% name="check-unseen"
# region solution
unseen = len(x_test)
# region exercise
# unseen = ...
# endregion
lesson.check("unseen", unseen)

# %% name="ask-leak"
lesson.ask("leak")

# %% name="answer-leak" tags=["solution"]
lesson.answer("leak")

# %% [markdown] lang="en"
# ## 2. Let it look
#
# *Find* makes and measures what needs no training, and says which serves the goal best. Here the goal is a small
# file, with F1 within one point: so that the lower end of the interval holds it.

# %% [markdown] lang="zh_CN"
# ## 2. 让它去找
#
# *寻找*会做出并测量不需要训练的变体，然后说哪个最符合目标。这里的目标是文件小，F1 下降不超过一个百分点，
# 而且区间的下端也要守住。

# %% name="predict-best"
goal = Goal(want="smaller", f1_may_fall=0.01, runtime="litert")
lesson.predict("best", seconds=workbench.find_seconds(goal))

# %% name="lock-best" tags=["solution"]
lesson.lock("best", 2)

# %% name="find"
lesson.require("best")
workbench.find(goal).wait()
found = workbench.best()
print(workbench.conclusion())
lesson.measured("best", 1.0 if found is None else found.size_ratio)

# %% [markdown] lang="en"
# If nothing serves, the conclusion names what came nearest. With few test samples the interval is wide, and much
# stays "not proven": that is the failure to expect with your own data, and more test samples are its cure.

# %% [markdown] lang="zh_CN"
# 如果没有合适的，结论会指出最接近的是哪个。测试样本少，区间就宽，很多都会停在“未证实”：
# 用自己的数据时，要预料到这种失败；更多的测试样本才是解药。

# %% name="best"
BestLine(workbench)

# %% name="table"
VariantsTable(workbench)

# %% name="chart"
TradeoffChart(workbench)

# %% [markdown] lang="en"
# ## 3. Decide, and take it home
#
# At most 200 words: numbers, why, and what is given up.

# %% [markdown] lang="zh_CN"
# ## 3. 决定，并带走
#
# 最多 200 词（400 个汉字）：数字、理由、放弃了什么。

# %% name="decide"
lesson.decide()

# %% name="report"
workbench.report(workbench.folder / "report.html")

# %% name="deploy"
chosen = baseline if found is None else found.variant
name, content = workbench.deploy(chosen)
file = workbench.folder / name
file.write_bytes(content)
file

# %% [markdown] lang="en"
# ## Why?
#
# 1. Which samples will your users send that are not in your test split?
# 2. What would you measure on the device before you ship?
# 3. In half a year somebody asks how the file was made. What do you hand over?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. 你的用户会发来哪些测试集里没有的样本？
# 2. 上线之前，你会在设备上测什么？
# 3. 半年后有人问这个文件是怎么做出来的。你交给他什么？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - Scaling and split first: a wrong one makes every later number wrong.
# - Find gives a start, the interval gives the proof, you give the decision.
#
# **Sources**: S. Kapoor, A. Narayanan, *Leakage and the Reproducibility Crisis in Machine-Learning-based Science*,
# Patterns 2023.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 先看缩放和划分：它们错了，后面的每个数都错。
# - “寻找”给出起点，区间给出证明，决定由你来做。
#
# **参考文献**：S. Kapoor, A. Narayanan, *Leakage and the Reproducibility Crisis in Machine-Learning-based
# Science*, Patterns 2023.
