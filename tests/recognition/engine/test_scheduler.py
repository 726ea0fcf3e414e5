from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recognition.engine.scheduler import (
    DEFAULT_LIMITS,
    RECOGNISERS,
    BatchLimits,
    Pressure,
    QueuedJob,
    Scheduler,
    Stage,
    limits_for,
)
from recognition.fakes.scripted import Script, ScriptedLine, ScriptedOffline, scripted_models

MODELS = scripted_models(Script([ScriptedLine("好。")]))
REVISING = scripted_models(Script([ScriptedLine("好。", tail=1)]))

LIMITS = {
    Stage.DETECT: BatchLimits(size=4, padded_samples=1000),
    Stage.RECOGNIZE: BatchLimits(size=3, padded_samples=100),
    Stage.PUNCTUATE: BatchLimits(size=4, padded_samples=1000),
    Stage.EMBED: BatchLimits(size=4, padded_samples=1000),
    Stage.SEGMENT: BatchLimits(size=4, padded_samples=1000),
    Stage.DECODE: BatchLimits(
        size=2, padded_samples=1000, rest=1.5, late_s=0.3, size_when_late=4, patience_s=1.0
    ),
    Stage.PREVIEW: BatchLimits(size=2, padded_samples=1000, patience_s=0.3),
}


def scheduler(*jobs: tuple[Stage, Hashable, int, float]) -> Scheduler[None]:
    made: Scheduler[None] = Scheduler(LIMITS)
    for stage, session, samples, at in jobs:
        made.add(QueuedJob(stage, session, samples, at, None))
    return made


def sessions(batch: list[QueuedJob[None]]) -> list[object]:
    return [job.session for job in batch]


class TestOrder:
    def test_nothing_waits_for_nothing(self) -> None:
        assert scheduler().next_batch(0) == []
        assert scheduler().due_at() is None

    def test_finals_go_before_partials(self) -> None:
        waiting = scheduler((Stage.DECODE, "a", 10, 0.0), (Stage.RECOGNIZE, "b", 10, 0.9))
        assert sessions(waiting.next_batch(1)) == ["b"]
        assert sessions(waiting.next_batch(1)) == ["a"]

    def test_a_batch_is_of_one_stage(self) -> None:
        waiting = scheduler((Stage.EMBED, "a", 10, 0.0), (Stage.PUNCTUATE, "b", 10, 0.0))
        assert {job.stage for job in waiting.next_batch(1)} == {Stage.PUNCTUATE}

    def test_a_final_that_has_begun_is_finished_before_the_next_begins(self) -> None:
        waiting = scheduler(
            (Stage.RECOGNIZE, "a", 10, 0.0),
            (Stage.SEGMENT, "b", 10, 0.9),
            (Stage.EMBED, "b", 10, 0.9),
            (Stage.PUNCTUATE, "b", 10, 0.9),
        )
        stages = [waiting.next_batch(1)[0].stage for _ in range(4)]
        assert stages == [Stage.PUNCTUATE, Stage.EMBED, Stage.SEGMENT, Stage.RECOGNIZE]

    def test_first_come_first_served(self) -> None:
        waiting = scheduler(*((Stage.RECOGNIZE, name, 10, 0.0) for name in "abcd"))
        assert sessions(waiting.next_batch(1)) == ["a", "b", "c"]
        assert sessions(waiting.next_batch(1)) == ["d"]

    def test_a_stream_that_has_fallen_behind_goes_before_one_that_has_not(self) -> None:
        waiting = scheduler(
            (Stage.DECODE, "a", 10, 1.0), (Stage.DECODE, "b", 10, 1.0), (Stage.DECODE, "behind", 10, 0.8)
        )
        assert sessions(waiting.next_batch(1)) == ["behind", "a"]


class TestRest:
    """The first pass pauses in proportion to what its batches take, so that streams come together."""

    def setup_method(self) -> None:
        self.waiting = scheduler((Stage.DECODE, "a", 10, 1.0))
        assert sessions(self.waiting.next_batch(1.0)) == ["a"]

    def add(self, session: str, at: float) -> None:
        self.waiting.add(QueuedJob(Stage.DECODE, session, 10, at, None))

    def test_the_next_waits_for_company_as_long_as_the_last_batch_tells(self) -> None:
        self.add("b", 1.5)
        assert self.waiting.next_batch(1.5) == []  # the batch took 0.5 s
        assert self.waiting.due_at() == 2.25
        assert sessions(self.waiting.next_batch(2.25)) == ["b"]

    def test_who_comes_later_than_that_does_not_wait(self) -> None:
        assert self.waiting.next_batch(1.5) == []
        self.add("b", 2.5)
        assert sessions(self.waiting.next_batch(2.5)) == ["b"]

    def test_a_full_batch_waits_for_nobody(self) -> None:
        self.add("b", 1.5)
        self.add("c", 1.5)
        assert sessions(self.waiting.next_batch(1.5)) == ["b", "c"]

    def test_nobody_waits_for_company_longer_than_the_limit(self) -> None:
        # A second batch each 1.25 s would be too few for chunks that come each 0.6 s.
        waiting: Scheduler[None] = Scheduler(
            LIMITS | {Stage.DECODE: BatchLimits(size=2, padded_samples=1000, rest=1.5, longest_rest_s=0.35)}
        )
        waiting.add(QueuedJob(Stage.DECODE, "a", 10, 1.0, None))
        waiting.next_batch(1.0)
        waiting.add(QueuedJob(Stage.DECODE, "b", 10, 1.2, None))
        assert waiting.next_batch(1.5) == []
        assert waiting.due_at() == 1.2 + 0.35
        assert sessions(waiting.next_batch(1.2 + 0.35)) == ["b"]

    def test_finals_run_meanwhile(self) -> None:
        self.add("b", 1.5)
        self.waiting.add(QueuedJob(Stage.RECOGNIZE, "c", 10, 1.5, None))
        assert sessions(self.waiting.next_batch(1.5)) == ["c"]
        assert sessions(self.waiting.next_batch(2.25)) == ["b"]


class TestPadding:
    def test_the_budget_counts_padding(self) -> None:
        waiting = scheduler((Stage.RECOGNIZE, "a", 10, 0.0), (Stage.RECOGNIZE, "b", 60, 0.0))
        assert sessions(waiting.next_batch(1)) == ["a"]
        assert sessions(waiting.next_batch(1)) == ["b"]

    def test_a_job_over_budget_still_runs_alone(self) -> None:
        waiting = scheduler((Stage.RECOGNIZE, "a", 500, 0.0))
        assert sessions(waiting.next_batch(1)) == ["a"]

    def test_a_short_job_may_pass_a_long_one_that_does_not_fit(self) -> None:
        waiting = scheduler(
            (Stage.RECOGNIZE, "a", 10, 0.0),
            (Stage.RECOGNIZE, "b", 90, 0.0),
            (Stage.RECOGNIZE, "c", 10, 0.0),
        )
        assert sessions(waiting.next_batch(1)) == ["a", "c"]


class TestLikeLengths:
    """Recognisers to which the shortest utterance costs as much as one of 10 samples."""

    LIMITS = LIMITS | {
        Stage.RECOGNIZE: BatchLimits(size=4, padded_samples=100, min_samples=10, max_padding=0.25),
        Stage.DECODE: BatchLimits(size=4, padded_samples=1000, min_samples=10, max_padding=0.25),
    }

    def test_what_is_shorter_counts_as_the_shortest(self) -> None:
        waiting: Scheduler[None] = Scheduler(
            LIMITS | {Stage.RECOGNIZE: BatchLimits(size=4, padded_samples=25, min_samples=10)}
        )
        for name in "abc":
            waiting.add(QueuedJob(Stage.RECOGNIZE, name, 1, 0.0, None))
        assert [sessions(waiting.next_batch(1)) for _ in range(2)] == [["a", "b"], ["c"]]

    def test_those_of_like_lengths_go_together_and_the_first_goes_first(self) -> None:
        waiting: Scheduler[None] = Scheduler(self.LIMITS)
        for name, samples in (("a", 20), ("b", 5), ("c", 22), ("d", 10), ("e", 18), ("f", 1)):
            waiting.add(QueuedJob(Stage.RECOGNIZE, name, samples, 0.0, None))
        assert [sessions(waiting.next_batch(1)) for _ in range(2)] == [["a", "c", "e"], ["b", "d", "f"]]

    def test_a_first_pass_that_hears_all_again_costs_what_was_heard(self) -> None:
        waiting: Scheduler[None] = Scheduler(self.LIMITS)
        for name, heard in (("a", 10), ("b", 40), ("c", 5), ("d", 42)):
            waiting.add(QueuedJob(Stage.DECODE, name, 5, 0.0, None, heard))
        assert [sessions(waiting.next_batch(1)) for _ in range(2)] == [["a", "c"], ["b", "d"]]


class TestLanes:
    """Recognisers on a thread of their own."""

    OTHERS = tuple(stage for stage in Stage if stage not in RECOGNISERS)

    def setup_method(self) -> None:
        self.waiting = scheduler((Stage.RECOGNIZE, "a", 10, 0.0), (Stage.DETECT, "b", 10, 0.5))

    def test_each_takes_its_own(self) -> None:
        assert self.waiting.due_at(RECOGNISERS) == 0.0
        assert self.waiting.due_at(self.OTHERS) == 0.5
        assert sessions(self.waiting.next_batch(1, RECOGNISERS)) == ["a"]
        assert self.waiting.next_batch(1, RECOGNISERS) == []
        assert sessions(self.waiting.next_batch(1, self.OTHERS)) == ["b"]

    def test_what_one_takes_ends_no_batch_of_the_other(self) -> None:
        self.waiting.add(QueuedJob(Stage.DECODE, "c", 10, 0.0, None))
        self.waiting.next_batch(1.0, RECOGNISERS)
        assert sessions(self.waiting.next_batch(1.0, RECOGNISERS)) == ["c"]
        self.waiting.add(QueuedJob(Stage.DECODE, "d", 10, 1.5, None))
        self.waiting.next_batch(1.5, self.OTHERS)
        assert self.waiting.next_batch(3.0, RECOGNISERS) == []
        assert self.waiting.due_at(RECOGNISERS) == 6.0  # it took 2 s, not half a second


class TestSession:
    def test_a_session_is_at_most_once_in_a_batch(self) -> None:
        waiting = scheduler(
            (Stage.DETECT, "a", 10, 0.0), (Stage.DETECT, "a", 10, 0.0), (Stage.DETECT, "b", 10, 0.0)
        )
        assert sessions(waiting.next_batch(1)) == ["a", "b"]
        assert sessions(waiting.next_batch(1)) == ["a"]

    def test_a_later_job_never_overtakes_its_own_session(self) -> None:
        waiting = scheduler(
            (Stage.RECOGNIZE, "a", 10, 0.0),
            (Stage.RECOGNIZE, "b", 90, 0.0),
            (Stage.RECOGNIZE, "b", 10, 0.0),
        )
        assert sessions(waiting.next_batch(1)) == ["a"]
        assert [job.samples for job in waiting.next_batch(1)] == [90]

    def test_a_discarded_session_waits_for_nothing(self) -> None:
        waiting = scheduler(
            (Stage.DETECT, "a", 10, 0.0), (Stage.RECOGNIZE, "a", 10, 0.0), (Stage.DETECT, "b", 10, 0.0)
        )
        waiting.discard("a")
        assert sessions(waiting.next_batch(1)) == ["b"]
        assert len(waiting) == 0

    def test_discarding_one_stage_leaves_the_others(self) -> None:
        waiting = scheduler((Stage.DECODE, "a", 10, 0.0), (Stage.RECOGNIZE, "a", 10, 0.0))
        waiting.discard("a", [Stage.DECODE])
        assert [job.stage for job in waiting.next_batch(1)] == [Stage.RECOGNIZE]


class TestPressure:
    """What gives way, in this order: partials come later, then not at all, then finals come later."""

    def test_without_a_backlog_nothing_gives_way(self) -> None:
        waiting = scheduler((Stage.DECODE, "a", 10, 0.0), (Stage.RECOGNIZE, "a", 10, 0.0))
        assert waiting.pressure(0.2) is Pressure.NONE

    def test_partials_that_are_late_come_in_larger_batches(self) -> None:
        waiting = scheduler(*((Stage.DECODE, name, 10, 0.0) for name in "abcdef"))
        assert waiting.pressure(0.4) is Pressure.SLOWER_PARTIALS
        assert sessions(waiting.next_batch(0.4)) == ["a", "b", "c", "d"]

    def test_partials_that_are_too_late_are_given_up(self) -> None:
        waiting = scheduler((Stage.DECODE, "a", 10, 0.0), (Stage.DECODE, "b", 10, 0.9))
        assert waiting.pressure(1.1) is Pressure.NO_PARTIALS
        assert sessions(waiting.expired(1.1)) == ["a"]
        assert sessions(waiting.next_batch(1.1)) == ["b"]

    def test_finals_and_audio_are_never_given_up(self) -> None:
        waiting = scheduler(
            *((stage, "a", 10, 0.0) for stage in Stage if stage not in (Stage.DECODE, Stage.PREVIEW)),
        )
        assert waiting.expired(1e9) == []

    def test_finals_come_later_last_of_all(self) -> None:
        limits = dict(LIMITS) | {Stage.RECOGNIZE: BatchLimits(size=1, padded_samples=100, late_s=1.0)}
        waiting: Scheduler[None] = Scheduler(limits)
        waiting.add(QueuedJob(Stage.RECOGNIZE, "a", 10, 0.0, None))
        assert waiting.pressure(1.5) is Pressure.LATER_FINALS

    def test_by_default_only_partials_can_be_given_up(self) -> None:
        mortal = [stage for stage, limits in DEFAULT_LIMITS.items() if limits.patience_s < 1e9]
        assert mortal == [Stage.DECODE, Stage.PREVIEW]

    def test_a_preview_runs_only_when_nothing_else_waits_and_is_soon_of_no_use(self) -> None:
        waiting = scheduler((Stage.PREVIEW, "a", 10, 0.0), (Stage.DECODE, "b", 10, 0.1))
        assert [job.stage for job in waiting.next_batch(0.2)] == [Stage.DECODE]
        assert [job.stage for job in waiting.expired(0.4)] == [Stage.PREVIEW]


@given(st.lists(st.tuples(st.sampled_from(Stage), st.sampled_from("abc"), st.integers(1, 120)), max_size=40))
def test_every_job_runs_exactly_once_and_in_the_order_of_its_session(jobs: Any) -> None:
    waiting = scheduler(*((stage, session, n, float(i)) for i, (stage, session, n) in enumerate(jobs)))
    ran: list[QueuedJob[None]] = []
    now = 1e6
    while batch := waiting.next_batch(now) or waiting.next_batch(now := waiting.due_at() or now):
        limits = LIMITS[batch[0].stage]
        assert len(batch) <= max(limits.size, limits.size_when_late)
        assert len({job.session for job in batch}) == len(batch)
        assert (
            len(batch) == 1
            or len(batch) * max(j.samples for j in batch) <= LIMITS[batch[0].stage].padded_samples
        )
        ran += batch
    assert sorted(job.queued_at for job in ran) == [float(i) for i in range(len(jobs))]
    for stage in Stage:
        for session in "abc":
            own = [job.queued_at for job in ran if job.stage is stage and job.session == session]
            assert own == sorted(own)


class TestLimits:
    def test_a_gpu_takes_a_hundred_streams_in_one_batch_and_a_cpu_does_not(self) -> None:
        sizes = {}
        for device in ("cpu", "cuda"):
            scheduler = Scheduler[str](limits_for(replace(MODELS, device=device)))
            for session in range(100):
                scheduler.add(QueuedJob(Stage.DECODE, session, 9600, 0.0, ""))
            sizes[device] = len(scheduler.next_batch(0.1))

        assert sizes["cuda"] == 100
        assert sizes["cpu"] < 20

    def test_whatever_computes_has_limits_for_every_stage(self) -> None:
        for device in ("cpu", "cuda"):
            assert set(limits_for(replace(MODELS, device=device))) == set(Stage)

    def test_where_nothing_is_short_batches_are_small_and_of_like_lengths(self) -> None:
        class Windowed(ScriptedOffline):
            min_samples = 128_000

        models = replace(REVISING, offline=Windowed(Script()))
        limits = limits_for(models)
        for stage in RECOGNISERS:
            assert (limits[stage].size, limits[stage].min_samples) == (4, 128_000)
            assert limits[stage].max_padding < 1
        assert limits[Stage.DETECT] == DEFAULT_LIMITS[Stage.DETECT]

    def test_a_first_pass_that_hears_all_again_waits_for_no_company(self) -> None:
        class Windowed(ScriptedOffline):
            min_samples = 128_000

        waiting: Scheduler[None] = Scheduler(limits_for(replace(REVISING, offline=Windowed(Script()))))
        for at, name in ((0.0, "a"), (0.2, "b")):
            waiting.add(QueuedJob(Stage.DECODE, name, 16_000, at, None, 16_000))
            assert sessions(waiting.next_batch(at)) == [name]
        waiting.add(QueuedJob(Stage.DECODE, "c", 16_000, 0.3, None, 16_000))
        assert waiting.pressure(1.2) is Pressure.NONE  # it waited for about a batch
        assert waiting.pressure(1.4) is Pressure.SLOWER_PARTIALS

    def test_a_first_pass_that_hears_each_chunk_once_keeps_its_batches(self) -> None:
        class Windowed(ScriptedOffline):
            min_samples = 128_000

        limits = limits_for(replace(MODELS, offline=Windowed(Script())))
        assert limits[Stage.DECODE] == DEFAULT_LIMITS[Stage.DECODE]


def limits_of_all() -> list[BatchLimits]:
    every: list[Mapping[Stage, BatchLimits]] = [
        limits_for(replace(MODELS, device=device)) for device in ("cpu", "cuda")
    ]
    return [limits for each in every for limits in each.values()]


class TestDue:
    def test_what_waits_is_due_at_once(self) -> None:
        assert scheduler((Stage.RECOGNIZE, "a", 10, 5.0)).due_at() == 5.0

    def test_the_earliest_of_all_stages_counts(self) -> None:
        waiting = scheduler((Stage.DECODE, "a", 10, 3.0), (Stage.EMBED, "b", 10, 2.0))
        assert waiting.due_at() == 2.0

    def test_nothing_is_due_once_all_was_taken(self) -> None:
        waiting = scheduler((Stage.EMBED, "b", 10, 2.0))
        waiting.next_batch(3.0)
        assert waiting.due_at() is None

    @given(
        st.lists(
            st.tuples(st.sampled_from(Stage), st.sampled_from("abcd"), st.integers(1, 90), st.floats(0, 3)),
            max_size=25,
        )
    )
    def test_whoever_waits_until_something_is_due_gets_it_then_and_not_earlier(self, jobs: Any) -> None:
        waiting = scheduler(*jobs)
        now = 0.0
        while len(waiting):
            if not waiting.next_batch(now):
                due = waiting.due_at()
                assert due is not None
                assert due > now
                now = due
                assert waiting.next_batch(now)
            now += 0.01


class TestWhatWaits:
    def test_is_counted_stage_by_stage(self) -> None:
        waiting = scheduler(
            (Stage.EMBED, "a", 10, 2.0), (Stage.EMBED, "b", 10, 2.0), (Stage.DECODE, "a", 10, 1.0)
        )
        assert {stage: waiting.waiting(stage) for stage in Stage} == {
            Stage.DETECT: 0,
            Stage.PUNCTUATE: 0,
            Stage.EMBED: 2,
            Stage.SEGMENT: 0,
            Stage.RECOGNIZE: 0,
            Stage.DECODE: 1,
            Stage.PREVIEW: 0,
        }
        assert len(waiting) == 3

    def test_tells_since_when_the_first_of_each_stage_has_waited(self) -> None:
        waiting = scheduler(
            (Stage.EMBED, "a", 10, 2.5), (Stage.EMBED, "b", 10, 2.0), (Stage.DECODE, "a", 10, 1.0)
        )
        assert dict(waiting.oldest()) == {Stage.EMBED: 2.0, Stage.DECODE: 1.0}

    def test_may_be_asked_while_another_thread_adds(self) -> None:
        waiting = scheduler()
        is_over = threading.Event()

        def add() -> None:
            for number in range(20_000):
                waiting.add(QueuedJob(Stage.EMBED, number, 10, float(number), None))
                if number % 100 == 99:
                    waiting.next_batch(1e9)
            is_over.set()

        thread = threading.Thread(target=add)
        thread.start()
        while not is_over.is_set():
            assert len(list(waiting.oldest())) <= len(Stage)
        thread.join()


class TestPatience:
    def test_a_job_is_given_up_only_beyond_it(self) -> None:
        waiting = scheduler((Stage.DECODE, "a", 10, 0.0))
        assert waiting.expired(1.0) == []
        assert sessions(waiting.expired(1.001)) == ["a"]
        assert len(waiting) == 0

    def test_a_given_up_job_runs_no_more(self) -> None:
        waiting = scheduler((Stage.DECODE, "a", 10, 0.0), (Stage.DECODE, "b", 10, 5.0))
        waiting.expired(5.0)
        assert sessions(waiting.next_batch(5.0)) == ["b"]

    @given(st.lists(st.tuples(st.sampled_from(Stage), st.floats(0, 4)), max_size=30), st.floats(0, 6))
    def test_all_that_waited_too_long_is_given_up_and_nothing_else(self, jobs: Any, now: float) -> None:
        waiting = scheduler(*((stage, number, 10, at) for number, (stage, at) in enumerate(jobs)))
        given_up = {job.session for job in waiting.expired(now)}
        expected = {number for number, (stage, at) in enumerate(jobs) if now - at > LIMITS[stage].patience_s}
        assert given_up == expected
        assert len(waiting) == len(jobs) - len(given_up)


class TestDefaults:
    def test_no_stage_may_take_a_batch_of_nothing(self) -> None:
        for limits in limits_of_all():
            assert limits.size >= 1
            assert limits.padded_samples >= 16_000
            assert limits.rest >= 0

    def test_where_late_batches_may_be_larger_they_are_not_smaller(self) -> None:
        for limits in limits_of_all():
            assert limits.size_when_late == 0 or limits.size_when_late >= limits.size

    def test_the_stages_stand_in_the_order_of_their_urgency(self) -> None:
        assert list(Stage) == sorted(Stage)
        assert Stage.DETECT < Stage.RECOGNIZE < Stage.DECODE < Stage.PREVIEW

    def test_an_unknown_device_has_the_limits_of_a_cpu(self) -> None:
        assert limits_for(replace(MODELS, device="npu")) == DEFAULT_LIMITS


class TestSessionsThatYield:
    """Files come faster than anybody speaks: meetings go first, and files share what is left."""

    @staticmethod
    def add(waiting: Scheduler[None], stage: Stage, session: str, at: float, *, yields: bool = True) -> None:
        waiting.add(QueuedJob(stage, session, 10, at, None, yields=yields))

    def test_a_partial_of_a_meeting_goes_before_a_final_of_a_file(self) -> None:
        waiting = scheduler((Stage.DECODE, "meeting", 10, 0.9))
        self.add(waiting, Stage.RECOGNIZE, "file", 0.0)
        self.add(waiting, Stage.DETECT, "file", 0.0)
        batches = [waiting.next_batch(1.0) for _ in range(3)]
        assert [(sessions(batch), batch[0].stage) for batch in batches] == [
            (["meeting"], Stage.DECODE),
            (["file"], Stage.DETECT),
            (["file"], Stage.RECOGNIZE),
        ]

    def test_they_never_share_a_batch(self) -> None:
        waiting = scheduler((Stage.RECOGNIZE, "meeting", 10, 0.9))
        self.add(waiting, Stage.RECOGNIZE, "file", 0.0)
        assert sessions(waiting.next_batch(1.0)) == ["meeting"]

    def test_a_meeting_waits_for_one_line_of_a_file_at_most(self) -> None:
        waiting = scheduler((Stage.DETECT, "meeting", 10, 0.0))
        for name in "abc":
            self.add(waiting, Stage.RECOGNIZE, name, 0.0)
        waiting.next_batch(0.0)
        assert sessions(waiting.next_batch(0.0)) == ["a"]

    def test_where_nobody_speaks_files_fill_a_batch(self) -> None:
        waiting = scheduler()
        for name in "abc":
            self.add(waiting, Stage.RECOGNIZE, name, 0.0)
        assert sessions(waiting.next_batch(0.0)) == ["a", "b", "c"]

    def test_a_session_at_a_time_has_its_turn_however_much_it_has_sent(self) -> None:
        waiting = scheduler((Stage.DETECT, "meeting", 10, 0.0))
        waiting.next_batch(0.0)
        for at in range(20):
            self.add(waiting, Stage.RECOGNIZE, "much", at / 100)
        self.add(waiting, Stage.RECOGNIZE, "little", 0.5)
        self.add(waiting, Stage.RECOGNIZE, "little", 0.6)
        turns = [sessions(waiting.next_batch(1.0 + n / 100))[0] for n in range(5)]
        assert turns == ["much", "little", "much", "little", "much"]

    def test_their_waiting_is_no_pressure(self) -> None:
        waiting = scheduler()
        self.add(waiting, Stage.RECOGNIZE, "file", 0.0)
        self.add(waiting, Stage.DECODE, "file", 0.0)
        assert waiting.pressure(100.0) is Pressure.NONE
        assert not list(waiting.oldest())

    def test_what_is_discarded_of_a_session_is_discarded_of_both_kinds(self) -> None:
        waiting = scheduler((Stage.RECOGNIZE, "a", 10, 0.0))
        self.add(waiting, Stage.RECOGNIZE, "a", 0.0)
        waiting.discard("a")
        assert len(waiting) == 0

    def test_they_are_due_when_nothing_else_is(self) -> None:
        waiting = scheduler()
        self.add(waiting, Stage.RECOGNIZE, "file", 3.0)
        assert waiting.due_at() == 3.0
        assert waiting.waiting(Stage.RECOGNIZE) == 1
