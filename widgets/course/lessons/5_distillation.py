# %% [markdown] lang="en"
# # 5 · Distillation
#
# **Plan**: 35 minutes. **You need**: lessons 1 and 2. **Question**: Does a small network learn more from a large
# one than from the labels alone?
#
# A trained *teacher* knows more than the label says: that a 4 looks a little like a 9, and nothing like a 0. In
# distillation a small *student* learns these soft answers as well. Whether it helps is not said by the student's
# F1, but by that F1 **beside the same student's without its teacher**. Many articles leave that out.

# %% [markdown] lang="zh_CN"
# # 5 · 蒸馏
#
# **计划**：35 分钟。**前提**：第 1 课和第 2 课。**问题**：小网络跟着大网络学，会比只看标签学到更多吗？
#
# 训练好的*教师*知道的比标签多：4 有点像 9，而完全不像 0。蒸馏让小的*学生*也学习这些软答案。
# 它有没有用，不能只看学生的 F1，而要**和没有教师的同一个学生放在一起看**。很多文章漏掉了这一步。

# %% tags=["hidden"]
prediction(
    "gain",
    both(
        "By how many points of validation F1 is the student with its teacher ahead of the same student without?",
        "有教师的学生，比没有教师的同一个学生，在验证集 F1 上高多少个百分点？",
    ),
    unit=both("points", "个百分点"),
    scale="difference",
)
prediction(
    "proven",
    both("And does the interval over three seeds exclude zero?", "三个种子的区间会不包含零吗？"),
    choices={
        "ahead": both("yes, the teacher helps", "会，教师有帮助"),
        "behind": both("yes, the teacher harms", "会，教师有害"),
        "open": both("no, zero is inside", "不会，零在区间里"),
    },
)


@check(
    "soft",
    both("The teacher's answer at temperature 4", "温度为 4 时教师的答案"),
    explanation=both(
        "The order stays, the distances shrink: now the student also sees which wrong classes are near.",
        "次序不变，差距变小：学生现在也能看到哪些错误类别比较接近。",
    ),
)
def _(scores):
    import numpy as np

    def softmax(values):
        power = np.exp(values - np.max(values))
        return power / power.sum()

    def is_near(other):
        return lambda answer: np.shape(answer) == np.shape(other) and np.allclose(answer, other, atol=1e-4)

    yield is_near(softmax(scores / 4))
    yield is_near(softmax(scores)), both("That is temperature 1. Divide the scores by 4 first.", "这是温度 1。先把分数除以 4。")
    yield is_near(softmax(scores) / 4), both("Divide the scores, not the probabilities: these no longer add up to 1.", "要除的是分数，不是概率：这样加起来不再等于 1。")
    yield is_near(softmax(scores * 4)), both("Times 4 makes it harder, not softer.", "乘以 4 会更尖锐，而不是更平滑。")


@check(
    "mean",
    both("The mean difference over the seeds, in points", "各种子差值的均值，百分点"),
    within=0.02,
)
def _(table):
    pairs = [(float(line[1]), float(line[2])) for line in table.rows[:-1]]
    mean = 100 * sum(mine - theirs for mine, theirs in pairs) / len(pairs)
    yield lambda answer: abs(answer - mean) < 0.02
    yield lambda answer: abs(answer + mean) < 0.02, both("With the teacher minus without it.", "是有教师减去没有教师。")
    yield lambda answer: abs(answer - mean / 100) < 0.0002, both("In points: a hundred times that.", "以百分点计：再乘以 100。")
    yield (
        lambda answer: abs(answer - 100 * max(mine - theirs for mine, theirs in pairs)) < 0.02,
        both("That is the seed that suits best. Take all of them.", "这是最有利的那个种子。要用全部种子。"),
    )


question(
    "alone",
    both(
        "An article: “The distilled student has 95% of the teacher's accuracy at a quarter of its size.” What is missing?",
        "一篇文章说：“蒸馏后的学生以四分之一的大小达到教师 95% 的准确率。”缺了什么？",
    ),
    {
        "temperature": both("The temperature that was used.", "所用的温度。"),
        "student": both("The same student, trained without the teacher.", "没有教师训练出来的同一个学生。"),
        "teacher": both("A larger teacher.", "更大的教师。"),
    },
    "student",
    hints={
        "temperature": both("Good to know, but it would not tell whether the teacher helped.", "知道当然好，但它说明不了教师有没有帮助。"),
        "teacher": both("How would you know that this one did anything?", "你怎么知道现在这个起了作用？"),
    },
    explanation=both("Perhaps the small network reaches the same alone. Then the teacher was only a cost.", "也许小网络自己就能达到。那教师就只是成本。"),
)

# %% name="lesson"
from widgets import DistillationPanel, LiveChart
from widgets.course import Lesson

lesson = Lesson("5-distillation", language=both("en", "zh_CN"))
workbench = lesson.workbench
teacher = workbench.open("dense-digits", "digits").wait()
workbench.results()

# %% [markdown] lang="en"
# ## 1. Soft answers, by hand
#
# These are a teacher's raw scores for one sample. Softmax turns them into probabilities. A *temperature* divides
# the scores first. Compute the probabilities at temperature 4.

# %% [markdown] lang="zh_CN"
# ## 1. 动手算软答案
#
# 这是教师对一个样本给出的原始分数。softmax 把它们变成概率；*温度*先去除分数。请计算温度为 4 时的概率。

# %% name="check-soft"
import numpy as np

scores = np.array([1.0, 0.5, 9.0, 2.0, 6.5])
# region solution
powers = np.exp(scores / 4)
soft = powers / powers.sum()
# region exercise
# soft = ...
# endregion
lesson.check("soft", soft, scores)

# %% [markdown] lang="en"
# ## 2. With and without
#
# The student has half the teacher's width. For three seeds it is trained twice: with the teacher and without,
# from the same weights, with the same epochs, batches and learning rate.

# %% [markdown] lang="zh_CN"
# ## 2. 有教师与没有教师
#
# 学生的宽度是教师的一半。对三个种子各训练两次：有教师和没有教师，初始权重、轮数、批和学习率都相同。

# %% name="predict-gain"
seconds = lesson.seconds("distillation.distill", factor=0.5, epochs=8, compare_seeds=3)
lesson.predict("gain", seconds=seconds)

# %% name="lock-gain" tags=["solution"]
lesson.lock("gain", 1)

# %% name="predict-proven"
lesson.predict("proven", seconds=seconds)

# %% name="lock-proven" tags=["solution"]
lesson.lock("proven", "open")

# %% name="live"
LiveChart(workbench)

# %% name="distill"
lesson.require("gain", "proven")
student = workbench.distillation.distill(factor=0.5, epochs=8, compare_seeds=3).wait()
table = next(one for one in student.report.tables if len(one.columns) == 4)
print(table.title)
print(" | ".join(map(str, table.columns)))
for line in table.rows:
    print(" | ".join(map(str, line)))
for note in student.report.notes:
    print(note)

# %% [markdown] lang="en"
# ### Check: the mean difference
#
# In points of validation F1, with the teacher minus without, over all seeds of the table.

# %% [markdown] lang="zh_CN"
# ### 检查：平均差值
#
# 验证集 F1 的百分点，有教师减去没有教师，取表中所有种子的平均。

# %% name="check-mean"
# region solution
differences = [100 * (mine - theirs) for _, mine, theirs, _ in table.rows[:-1]]
mean = sum(differences) / len(differences)
# region exercise
# mean = ...
# endregion
lesson.check("mean", mean, table)

# %% name="measured-gain"
from workbench.measure.student_t import mean_interval
from workbench.measure.records import Interval

value, low, high = mean_interval([100 * (mine - theirs) for _, mine, theirs, _ in table.rows[:-1]])
lesson.measured("gain", Interval(value=value, low=low, high=high))

# %% name="measured-proven"
lesson.measured("proven", "ahead" if low > 0 else "behind" if high < 0 else "open")

# %% [markdown] lang="en"
# If zero lies inside, nothing is proven, in either direction: the honest sentence is "with three seeds I cannot
# tell". On small, clean data a small network often learns all there is from the labels, and a teacher cannot add
# much. That is the failure this lesson has ready: a celebrated technique that need not help. Where labels are
# few or noisy, or the student is very narrow, it has more to give.

# %% [markdown] lang="zh_CN"
# 如果零在区间里，那么两个方向都没有得到证明：诚实的说法是“三个种子还看不出来”。在小而干净的数据上，小网络常常从标签里
# 就学到了全部，教师添不了多少。这就是本课准备好的失败：一种久负盛名的方法，不一定有用。
# 标签少、噪声大，或者学生非常窄的时候，它才更有用武之地。

# %% name="ask-alone"
lesson.ask("alone")

# %% name="answer-alone" tags=["solution"]
lesson.answer("alone")

# %% [markdown] lang="en"
# ## 3. Your turn, in the panel
#
# Try a quarter of the width, or another temperature. Say first which of the two will matter more.

# %% [markdown] lang="zh_CN"
# ## 3. 轮到你了：用面板
#
# 试试四分之一的宽度，或者换个温度。先说说哪个影响更大。

# %% name="panel"
DistillationPanel(workbench)

# %% [markdown] lang="en"
# ## Why?
#
# 1. Why must both students start from the same weights?
# 2. The teacher is wrong for some samples. What does the student learn from them?
# 3. When is the time for the teacher's answers worth it, and when would you rather label more data?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. 为什么两个学生必须从同样的权重开始？
# 2. 教师对有些样本判断错误。学生从中学到了什么？
# 3. 什么时候值得花时间让教师作答，什么时候不如多标注一些数据？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - Soft answers tell which classes are near each other; a temperature makes that audible.
# - A distilled student is judged beside the same student without its teacher, over seeds.
# - No proven difference is a result.
#
# **Sources**: G. Hinton, O. Vinyals, J. Dean, *Distilling the Knowledge in a Neural Network*, 2015. J. H. Cho,
# B. Hariharan, *On the Efficacy of Knowledge Distillation*, ICCV 2019. L. Beyer et al., *Knowledge distillation:
# A good teacher is patient and consistent*, CVPR 2022.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 软答案说明哪些类别彼此接近；温度让它显现出来。
# - 评价蒸馏出的学生，要和没有教师的同一个学生放在一起，并用多个种子。
# - 没有可证实的差异，也是结果。
#
# **参考文献**：G. Hinton, O. Vinyals, J. Dean, *Distilling the Knowledge in a Neural Network*, 2015. J. H. Cho,
# B. Hariharan, *On the Efficacy of Knowledge Distillation*, ICCV 2019. L. Beyer et al., *Knowledge distillation:
# A good teacher is patient and consistent*, CVPR 2022.
