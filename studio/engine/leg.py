"""One leg of a run: from start or resume until it is done, waits beyond its limit, is paused, stopped or fails.

Asks the scheduler what is next, lets it be done, and heeds what people ask for in between. Absent on purpose: deciding
what is next (`engine/scheduler.py`) and doing it (`engine/deeds.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import assert_never

from studio.domain.errors import StudioError
from studio.domain.port_words import labels_of
from studio.domain.ports import Runs
from studio.domain.run import RunState, StepState
from studio.engine import snapshots
from studio.engine.breakpoints import KEPT, Breakpoints, in_words
from studio.engine.clocks import RunClock
from studio.engine.control import Control, Look, Resolve, Retry, Watch
from studio.engine.deeds import Broken, Deeds, Ending, Interrupted, Stopped
from studio.engine.memory import RunMemory, run_state
from studio.engine.mending import retry_failed, revive_doubts
from studio.engine.profiling import KEPT as PROFILE
from studio.engine.profiling import Norms
from studio.engine.progress import state_changes
from studio.engine.scheduler import Asked, Do, Finish, Hold, Moved, Reach, Recorded, Take
from studio.engine.tally import Trouble
from studio.engine.verdicts import decide

ASKS_AFTER = timedelta(hours=24)
"""What fell due longer ago than this is not done without a person's word: a mail of last week may be wrong today."""
CHECK_CLOCK = "Look at the date of this computer. When it is right, let the run go on; otherwise set it right first."
AT_WORK = "at work"
"""Kept of a run on the real clock that has gone a first time: what it knows of the time is worth something."""
KNOWN_EVERY = timedelta(hours=1)
"""How often a run that has nothing to do writes down that it is there, for the next start to know what time it was."""
CHECK_LATE = "Is it still right for everybody to get what is due? Then let the run go on; otherwise stop it."

log = logging.getLogger(__name__)


class Leg:
    """Runs one leg. `is_attended`: somebody is there who may end a pause; otherwise a pause ends the leg."""

    def __init__(
        self,
        memory: RunMemory,
        deeds: Deeds,
        *,
        runs: Runs,
        clock: RunClock,
        control: Control,
        norms: Norms,
        nobody_came: Callable[[], tuple[str, str] | None],
        stop_words: Callable[[], str],
        is_attended: bool,
    ) -> None:
        self._memory = memory
        self._deeds = deeds
        self._runs = runs
        self._clock = clock
        self._control = control
        self._norms = norms
        self._nobody_came = nobody_came
        self._stop_words = stop_words
        self._is_attended = is_attended

    async def go(self) -> RunState:
        """Goes until the leg ends; the state in which it leaves the run."""
        await self._revive()
        await self._become("running")
        return await self._ask_about_the_clock() or await self._go_on()

    async def _go_on(self) -> RunState:
        memory, scheduler = self._memory, self._memory.scheduler
        while True:
            await self._heed()
            words = self._stop_words()
            if words:
                scheduler.tell(Asked("pause"))
            command = scheduler.next()
            if memory.view.state == "paused" and not isinstance(command, Hold | Finish):
                await self._become("running")
            match command:
                case Do():
                    ending = await self._after(await self._deeds.do(command))
                case Take(reader):
                    ending = await self._after(await self._deeds.take(reader))
                case Reach(to):
                    ending = await self._reach(to)
                case Hold():
                    # Whoever paused it before the emergency stop keeps it paused after the release.
                    is_new = memory.view.state != "paused"
                    ending = await self._hold(_emergency(words) if words and is_new else None)
                case Finish():
                    ending = await self._end(command)
                case _:
                    assert_never(command)
            if ending is not None:
                await memory.durable()
                return ending

    async def _reach(self, to: datetime | None) -> RunState | None:
        await self._show_states()
        if not self._clock.is_instant:
            await self._memory.durable()
            await self._memory.keep_samples()
        await self._clock.reach(to, self._control.wake)
        trouble = self._mistrust()
        if trouble is not None:
            self._memory.scheduler.tell(Asked("pause"))
            return await self._hold(trouble)
        self._move()
        if not self._clock.is_virtual and self._memory.scheduler.now - self._memory.run.at >= KNOWN_EVERY:
            await self._memory.commit(self._memory.draft())
        return None

    async def _ask_about_the_clock(self) -> RunState | None:
        """Before anything is done: asks whether the clock is right, where it may have been wrong from the start."""
        last = self._clock.away_since()
        if last is None:
            await self._be_at_work()
            return None
        self._memory.scheduler.tell(Asked("pause"))
        return await self._hold(Trouble("", "CLOCK-AWAY", _away(last), CHECK_CLOCK))

    async def _be_at_work(self) -> None:
        if not self._clock.is_virtual and not self._runs.kept(self._memory.run.run_id, AT_WORK):
            draft = self._memory.draft()
            draft.keeps[AT_WORK] = b"1"
            await self._memory.commit(draft)

    def _mistrust(self) -> Trouble | None:
        """Why the clock is not followed before a person has said so: it was set, or what is due is due since long."""
        leap = self._clock.leap()
        if leap is not None:
            return Trouble("", "CLOCK-SET", _set_forward(self._clock.now(), leap), CHECK_CLOCK)
        due = None if self._clock.is_virtual else self._memory.scheduler.next_due
        if due is not None and self._clock.now() - due > ASKS_AFTER:
            return Trouble("", "CLOCK-SLEPT", _slept(due), CHECK_LATE)
        return None

    def _move(self) -> None:
        self._memory.scheduler.tell(Moved(self._clock.now()))
        if not self._clock.is_virtual:
            # The log of a real workspace grows by itself: look whether something has come.
            self._memory.scheduler.tell(Recorded(None))

    async def _heed(self) -> None:
        """Takes what people asked for."""
        for wish in self._control.taken():
            match wish:
                case Asked():
                    if wish.wish in ("continue", "step"):
                        self._clock.accept()
                        await self._be_at_work()
                    self._memory.scheduler.tell(wish)
                case Look():
                    self._memory.scheduler.tell(Recorded(None))
                    await self._revive()
                case Retry():
                    self._memory.scheduler.tell(Asked("continue"))
                    await self._memory.durable()
                    draft = retry_failed(self._memory, self._runs, wish.node_id, wish.only, wish.changes)
                    if draft is not None:
                        await self._memory.commit(draft)
                case Watch(breakpoints):
                    self._memory.watch(Breakpoints(breakpoints))
                    await self._keep_breakpoints()
                case Resolve():
                    await self._decide(wish)
                case _:
                    assert_never(wish)

    async def _decide(self, wish: Resolve) -> None:
        await self._memory.durable()
        try:
            decision = decide(self._memory, self._runs, wish.outbox_id, wish.verdict)
        except StudioError as error:
            log.warning("message %s was not settled: %s", wish.outbox_id, error)
            wish.done.set_exception(error)
            return
        if decision.draft is not None:
            await self._memory.commit(decision.draft)
            await self._memory.durable()
        self._runs.change_outbox(
            self._memory.run.run_id, self._memory.scheduler.now, [decision.change], decision.events
        )
        self._memory.count_messages()
        await self._revive()
        wish.done.set_result(None)

    async def _revive(self) -> None:
        draft = revive_doubts(self._memory)
        if draft is not None:
            await self._memory.commit(draft)

    async def _keep_breakpoints(self) -> None:
        draft = self._memory.draft()
        draft.keeps[KEPT] = self._memory.breakpoints.to_bytes()
        await self._memory.commit(draft)

    async def _interrupt(self, interrupted: Interrupted) -> RunState | None:
        plan = self._memory.plan
        steps = plan.steps.values()
        ways = {step.id: labels_of(step.declared.parameters) for step in steps}
        words = in_words(interrupted.hits, {step.id: step.label for step in steps}, ways)
        draft = self._memory.draft()
        for node_id in dict.fromkeys(hit.node_id for hit in interrupted.hits):
            draft.tell(node_id, "step.state", {"state": "paused"})
        await self._memory.commit(draft)
        await self._keep_breakpoints()
        self._memory.scheduler.tell(Asked("pause"))
        hint = "Look at the data, then continue, go step by step, or stop."
        return await self._hold(Trouble(interrupted.hits[0].node_id, "BREAKPOINT", words, hint))

    async def _after(self, trouble: Ending | None) -> RunState | None:
        match trouble:
            case None:
                return None
            case Stopped(problem):
                draft = self._memory.draft()
                draft.troubles.append(problem)
                await self._memory.commit(draft)
                self._memory.scheduler.tell(Asked("pause"))
                return await self._hold(problem)
            case Broken(problem):
                return await self._fail(problem)
            case Interrupted():
                return await self._interrupt(trouble)
            case _:
                assert_never(trouble)

    async def _hold(self, problem: Trouble | None = None) -> RunState | None:
        """Waits for a wish, where somebody is there to have one."""
        await self._become("paused", problem)
        await self._memory.durable()
        if not self._is_attended:
            return "paused"
        await self._control.wake.wait()
        self._move()
        return None

    async def _become(self, state: RunState, problem: Trouble | None = None) -> None:
        if self._memory.view.state == state and problem is None:
            return
        draft = self._memory.draft()
        draft.state = state
        if state == "running":
            for step in self._memory.view.steps.values():
                if step.state == "paused":
                    draft.tell(step.node_id, "step.state", {"state": "running"})
        draft.facts.append(run_state(state, problem.message, problem.hint) if problem else run_state(state))
        await self._memory.commit(draft)

    async def _show_states(self) -> None:
        changes = await self._changes()
        if changes:
            draft = self._memory.draft()
            for node_id, state in changes.items():
                draft.tell(node_id, "step.state", {"state": state})
            await self._memory.commit(draft)

    async def _changes(self, *, is_over: bool = False) -> dict[str, StepState]:
        """States that change now. Whoever has nobody left to come is looked at first: it may be green but wrong."""
        changes = self._new_states(is_over=is_over)
        alarms = self._norms.alarms([node_id for node_id, state in changes.items() if state == "done"])
        if not alarms:
            return changes
        draft = self._memory.draft()
        draft.troubles += [Trouble(a.node, a.code, a.message, a.hint, severity="warning") for a in alarms]
        await self._memory.commit(draft)
        return self._new_states(is_over=is_over)

    def _new_states(self, *, is_over: bool) -> dict[str, StepState]:
        scheduler = self._memory.scheduler
        return state_changes(
            self._memory.plan,
            self._memory.view,
            scheduler.busy_nodes(),
            is_listening=scheduler.is_listening,
            is_over=is_over,
        )

    async def _fail(self, problem: Trouble) -> RunState:
        draft = self._memory.draft()
        draft.state = "failed"
        draft.tell(problem.node_id, "step.state", {"state": "failed"})
        draft.facts.append(run_state("failed", problem.message, problem.hint))
        await self._memory.commit(draft)
        return "failed"

    async def _end(self, finish: Finish) -> RunState:
        memory = self._memory
        await memory.durable()
        if finish.state == "left":
            return memory.run.state
        if finish.state == "stopped":
            changes: dict[str, StepState] = {
                step.node_id: "stopped" for step in memory.view.steps.values() if step.state in ("running", "waiting")
            }
        else:
            changes = await self._changes(is_over=finish.state == "done")
        draft = memory.draft()
        for node_id, state in changes.items():
            draft.tell(node_id, "step.state", {"state": state})
        draft.state, message, hint = self._verdict(finish, changes)
        draft.keeps[PROFILE] = self._norms.to_bytes()
        draft.keeps[snapshots.KEPT] = snapshots.to_bytes(memory.view)
        draft.facts.append(run_state(draft.state, message, hint))
        await memory.commit(draft)
        return draft.state

    def _verdict(self, finish: Finish, changes: Mapping[str, StepState]) -> tuple[RunState, str, str]:
        """How the run stands at the end of the leg, with words where something is left to say."""
        memory = self._memory
        doubts = sum(memory.messages(step.id)["in_doubt"] for step in memory.plan.steps.values() if step.role == "send")
        if finish.doubts:
            told = "1 message is" if doubts == 1 else f"{doubts} messages are"
            return (
                "waiting",
                f"{told} in doubt: nobody knows whether the mail server took {'it' if doubts == 1 else 'them'}.",
                "Look at the mail server, then mark them as sent or send them again.",
            )
        states = {step_id: changes.get(step_id, memory.view.step(step_id).state) for step_id in memory.plan.steps}
        failed = [memory.plan.steps[step_id].label for step_id, state in states.items() if state == "failed"]
        if finish.state == "done" and failed:
            names = ", ".join(f"“{name}”" for name in failed)
            return (
                "failed",
                f"Most people did not get through {names}.",
                "Mend the step, then try the failed ones again.",
            )
        assert finish.state != "left", "a run that is left stays as it is"
        message, hint = (self._nobody_came() if finish.state == "done" else None) or ("", "")
        return finish.state, message, hint


def _emergency(words: str) -> Trouble:
    return Trouble("", "EMERGENCY-STOP", words, "Take the emergency stop back, then let the run go on.")


def _set_forward(stood: datetime, leap: timedelta) -> str:
    ahead = f"{leap.days:,} days" if leap.days > 1 else f"{leap / timedelta(hours=1):.0f} hours"
    return (
        f"This computer's clock was set forward by {ahead} at {stood:%Y-%m-%d %H:%M} UTC. Nobody goes on before you "
        "have looked at it: whoever waits would be due at once."
    )


def _away(last: datetime) -> str:
    return (
        f"By this computer's clock it is long since the workspace was last at work ({last:%Y-%m-%d %H:%M} UTC). "
        "Nothing is done before you have looked at it: a clock that is wrong would date everything wrongly."
    )


def _slept(due: datetime) -> str:
    return f"This computer slept. The first people were due at {due:%Y-%m-%d %H:%M} UTC, which is more than a day ago."
