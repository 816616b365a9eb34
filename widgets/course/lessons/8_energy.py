# %% [markdown] lang="en"
# # 8 · Energy, cost, break-even
#
# **Plan**: 30 minutes. **You need**: lessons 3 and 4. **Questions**: When has an optimization paid for its own
# making? What do we know of the energy of a call, and what do we only assume?

# %% [markdown] lang="zh_CN"
# # 8 · 能耗、成本、盈亏平衡
#
# **计划**：30 分钟。**前提**：第 3、4 课。**问题**：一次优化什么时候收回自己的成本？对一次调用的能耗，
# 我们知道什么，又只是假设了什么？

# %% tags=["hidden"]
prediction(
    "meter",
    both("Can the energy of a call be measured on this machine?", "在这台机器上能测出一次调用的能耗吗？"),
    choices={
        "yes": both("yes, it has a meter that may be read", "能，有可读取的电能计"),
        "no": both("no: a virtual machine or missing rights hide it", "不能：虚拟机或权限挡住了它"),
    },
)
prediction(
    "calls",
    both(
        "Making the int8 variant took some seconds. After how many calls has its speed, against float32 in the same runtime, paid for them? If you think never, say 0.",
        "做出 int8 变体花了若干秒。与同一运行时的 float32 相比，调用多少次之后，它的速度才能把这些时间赚回来？如果你认为永远不会，请填 0。",
    ),
    scale="difference",
)


@check(
    "break-even",
    both("Calls until break-even", "达到盈亏平衡的调用次数"),
    explanation=both("The saving of a call is a difference of two times, not their ratio.", "一次调用省下的是两个时间之差，而不是之比。"),
)
def _(cost_s, before_ms, after_ms):
    yield 1000 * cost_s / (before_ms - after_ms)
    yield cost_s / (before_ms - after_ms), both("Seconds and milliseconds are mixed.", "秒和毫秒混在一起了。")
    yield 1000 * cost_s / before_ms, both("That is what the old model does meanwhile. What does a call save?", "这是旧模型在这段时间里能做的次数。一次调用省下多少？")
    yield 1000 * cost_s / after_ms, both("That is what the new model does meanwhile. What does a call save?", "这是新模型在这段时间里能做的次数。一次调用省下多少？")
    yield 1000 * cost_s * before_ms / after_ms, both("That is a ratio of times. Take the difference.", "这是时间之比。要取差。")


@check(
    "joules",
    both("Energy of a call, in millijoules", "一次调用的能耗，毫焦"),
    explanation=both("Only what is above idle counts for the call: the machine would have drawn the rest anyway.", "只有超出空闲的部分才算在调用头上：其余的机器反正也要消耗。"),
)
def _(busy_watts, idle_watts, per_second):
    yield 1000 * (busy_watts - idle_watts) / per_second
    yield 1000 * busy_watts / per_second, both("The idle machine draws power, too. Take that off.", "空闲的机器也耗电。要减掉。")
    yield (busy_watts - idle_watts) / per_second, both("Those are joules.", "这是焦耳。")
    yield (busy_watts - idle_watts) * per_second, both("Watts are joules per second; divide by the calls per second.", "瓦是每秒焦耳；要除以每秒调用次数。")


question(
    "never",
    both("A variant is smaller, and its speed shows no measurable change. After how many calls is it break-even in time?", "一个变体更小，速度未测出差异。就时间而言，调用多少次后盈亏平衡？"),
    {
        "soon": both("soon: it is smaller", "很快：它更小"),
        "unknown": both("No number can be given: no saving is proven.", "给不出数字：没有证实省下了什么。"),
        "zero": both("at once: it costs nothing", "立刻：它没有成本"),
    },
    "unknown",
    hints={
        "soon": both("Size is paid in memory and transfer, not in time.", "大小关系到内存和传输，不是时间。"),
        "zero": both("Making it took time, above all if it was trained.", "做出它要花时间，尤其是经过训练的。"),
    },
    explanation=both("It may pay all the same: in memory, in download, in a cheaper device.", "它仍可能划算：在内存、下载或更便宜的设备上。"),
)

# %% name="lesson"
from widgets import VariantsTable
from widgets.course import Lesson

lesson = Lesson("8-energy", language=both("en", "zh_CN"))
workbench = lesson.workbench
baseline = workbench.open("dense-digits", "digits").wait()
workbench.results()

# %% [markdown] lang="en"
# ## 1. Break-even, by hand
#
# Take these as given: a training took 90 s. A call took 0.8 ms before it and takes 0.5 ms now. After how many
# calls are the 90 s saved again?

# %% [markdown] lang="zh_CN"
# ## 1. 动手算盈亏平衡
#
# 假设：一次训练用了 90 秒。之前一次调用要 0.8 毫秒，现在 0.5 毫秒。调用多少次之后，这 90 秒就省回来了？

# %% name="check-break-even"
cost_s, before_ms, after_ms = 90, 0.8, 0.5
# region solution
calls = 1000 * cost_s / (before_ms - after_ms)
# region exercise
# calls = ...
# endregion
lesson.check("break-even", calls, cost_s, before_ms, after_ms)

# %% [markdown] lang="en"
# ## 2. Yours

# %% [markdown] lang="zh_CN"
# ## 2. 你的变体

# %% name="predict-calls"
lesson.predict("calls", seconds=lesson.seconds("quantization.int8"))

# %% name="lock-calls" tags=["solution"]
lesson.lock("calls", 10_000_000)

# %% name="int8"
lesson.require("calls")
int8 = workbench.quantization.int8().wait()
row = lesson.row(int8)
print(both("made in, s:", "制作用时（秒）："), row.made_in_s)
print(both("verdict on speed:", "速度结论："), row.speed.word if row.distrust is None else row.distrust)
lesson.measured("calls", row.break_even or 0, doubt=row.distrust)

# %% [markdown] lang="en"
# 0 stands for "no saving is proven": no number of calls can be given then. Your own time is not in this account,
# nor the time to look for the technique. In most projects those are the larger part.
#
# ## 3. Energy
#
# A processor with a meter (RAPL), or an NVIDIA GPU, tells its joules. Many machines do not: virtual ones hide the
# meter, and Linux lets only root read it. The workbench then says so, and writes no number.

# %% [markdown] lang="zh_CN"
# 0 表示“没有证实省下了什么”：这时给不出调用次数。你自己的时间，以及寻找方法的时间，都不在这笔账里；
# 在多数项目里，那才是大头。
#
# ## 3. 能耗
#
# 带电能计（RAPL）的处理器，或 NVIDIA GPU，会报告焦耳数。许多机器不会：虚拟机把电能计藏了起来，Linux 只允许 root 读取。
# 这时工作台会说明情况，不写任何数字。

# %% name="predict-meter"
lesson.predict("meter")

# %% name="lock-meter" tags=["solution"]
lesson.lock("meter", "no")

# %% name="meter"
lesson.require("meter")
from workbench.measure.energy import find_meter

meter = find_meter(int8.runtime)
print(both("no meter that may be read", "没有可读取的电能计") if meter is None else meter.name)
lesson.measured("meter", "no" if meter is None else "yes")

# %% [markdown] lang="en"
# The failure of this lesson is to guess: "the processor has 65 W, a call takes 0.5 ms, so ...". The rated power is
# what the cooler must bear, not what a call draws. With a meter: take these as given. The machine draws 18 W idle
# and 31 W while it makes 2,000 calls a second. What is the energy of a call?

# %% [markdown] lang="zh_CN"
# 本课的失败就是猜：“处理器 65 瓦，一次调用 0.5 毫秒，所以……”。额定功率是散热器要承受的，不是一次调用消耗的。
# 有电能计时，假设：机器空闲时 18 瓦，每秒做 2,000 次调用时 31 瓦。一次调用的能耗是多少？

# %% name="check-joules"
busy_watts, idle_watts, per_second = 31, 18, 2000
# region solution
millijoules = 1000 * (busy_watts - idle_watts) / per_second
# region exercise
# millijoules = ...
# endregion
lesson.check("joules", millijoules, busy_watts, idle_watts, per_second)

# %% name="ask-never"
lesson.ask("never")

# %% name="answer-never" tags=["solution"]
lesson.answer("never")

# %% name="table"
VariantsTable(workbench)

# %% [markdown] lang="en"
# ## Why?
#
# 1. A service has a thousand users a day. Is a training of an hour worth it? What else must you know?
# 2. Twice as fast, the same energy: how can that be?
# 3. Which cost is not in seconds, joules or bytes at all?

# %% [markdown] lang="zh_CN"
# ## 为什么？
#
# 1. 一项服务每天有一千个用户。一小时的训练值得吗？还需要知道什么？
# 2. 快了一倍，能耗却一样：怎么可能？
# 3. 哪些成本根本不能用秒、焦耳或字节来计？

# %% name="summary"
lesson.summary()

# %% [markdown] lang="en"
# ## Key points
#
# - Break-even is cost over the saving of a call. Without a proven saving there is none.
# - Energy is measured above idle, or not known. It is not guessed from a rated power.
#
# **Sources**: E. Strubell, A. Ganesh, A. McCallum, *Energy and Policy Considerations for Deep Learning in NLP*,
# ACL 2019. P. Henderson et al., *Towards the Systematic Reporting of the Energy and Carbon Footprints of Machine
# Learning*, JMLR 2020. D. Hackenberg et al., *An Energy Efficiency Feature Survey of the Intel Haswell*, 2015.

# %% [markdown] lang="zh_CN"
# ## 要点
#
# - 盈亏平衡 = 成本 ÷ 每次调用省下的。没有证实省下，就没有平衡点。
# - 能耗要在空闲之上测量，否则就是未知；不能从额定功率去猜。
#
# **参考文献**：E. Strubell, A. Ganesh, A. McCallum, *Energy and Policy Considerations for Deep Learning in NLP*,
# ACL 2019. P. Henderson et al., *Towards the Systematic Reporting of the Energy and Carbon Footprints of Machine
# Learning*, JMLR 2020. D. Hackenberg et al., *An Energy Efficiency Feature Survey of the Intel Haswell*, 2015.
