from __future__ import annotations

from collections import defaultdict
from typing import Any, ClassVar
from xml.etree import ElementTree

import pytest

from benchmarks.people import GOALS
from benchmarks.performance_page import (
    archives_table,
    chaos_verdict,
    endurance_table,
    failover_verdict,
    hotwords_table,
    hotwords_told,
    hotwords_verdict,
    latency_picture,
    latency_table,
    pages_table,
    peer_verdict,
    people_hotwords,
    people_table,
    seaco_hotwords,
    speakers_table,
    stages_table,
    streams_table,
    transport_table,
    verdict,
    with_table,
)

LOADS = [
    {
        "streams": streams,
        "utilisation": 0.5,
        "cpu_ms_per_s": 80.4,
        "partial_p50_s": 0.1,
        "partial_p95_s": 0.4,
        "final_p50_s": 0.2,
        "final_p95_s": 0.1 * streams,
        "final_p99_s": 1.5,
        "final_after_speech_p50_s": 0.9,
        "final_after_speech_p95_s": 1.6,
        "dropped_partials": 1,
    }
    for streams in (4, 12)
]


def test_the_waiting_of_a_reader_stands_beside_its_goal() -> None:
    figures = {
        "first_partial_p50_s": 0.44,
        "first_partial_max_s": 0.57,
        "final_p50_s": 0.77,
        "final_p95_s": 0.86,
    }
    first, longest, last = latency_table(figures).splitlines()[2:]
    assert first == "| from the beginning of a line to its first words, p50, s | 0.44 | at most 0.8 |"
    assert "| 0.57 |" in longest
    assert "| 0.77 / 0.86 |" in last


class TestHotwords:
    FIGURES: ClassVar[dict[str, Any]] = {
        "misses_found_share": 0.53,
        "false_words_10db": 0,
        "false_words_in_partials_10db": 4,
        "ms_a_line": 0.26,
        "table": {
            f"10 dB, {model}, final, {count} words": {"cer": 0.025, "found": 72, "places": 80, "false": 0}
            for model in ("language model", "no language model")
            for count in (0, 15)
        },
    }

    def test_stand_beside_their_goals(self) -> None:
        told = hotwords_verdict(self.FIGURES)
        assert "**53% are found** (goal: 50 %), with 0 words at 10 dB" in told
        assert "(goal: 0; 4 more in partials), in 0.26 ms a line (goal: 0.5)" in told

    def test_of_people_are_a_row_for_each_list(self) -> None:
        row = {"cer": 0.0987, "found": 185, "places": 226, "false": 2}
        figures = {
            "people_lines": 150,
            "people_misses_found_share": 0.47,
            "people_table": {"people, Whisper, final, 192 words": row},
        }
        told = people_hotwords(figures)
        assert "150 lines of AISHELL" in told and "**47%** of the misses" in told
        assert told.endswith("| 192 words | 9.9% | 185 of 226 | 2 |")

    def test_by_the_models_own_decoder_are_told_with_what_they_cost(self) -> None:
        costs = {"seaco_ms_a_line_1000": 41.0, "seaco_ms_a_line_15": 9.5, "seaco_line_without_ms": 120.1}
        told = seaco_hotwords(costs)
        assert "adds **9.5 ms with 15 words and 41.0 ms with 1000 words** to a line" in told
        assert told.endswith("takes 120.1 ms.")
        assert told in hotwords_told(self.FIGURES | costs, "here")
        assert "SeACo" not in hotwords_told(self.FIGURES, "here")

    def test_are_a_column_for_each_length_of_the_list(self) -> None:
        lines = hotwords_table(self.FIGURES).splitlines()
        assert lines[0] == "| CER, places found, false | 0 words | 15 words |"
        assert lines[2] == "| 10 dB, language model, final | 2.5%, 72 of 80, 0 | 2.5%, 72 of 80, 0 |"


class TestTable:
    def test_a_table_takes_the_place_of_the_earlier_one_and_of_nothing_else(self) -> None:
        page = "# Page\n<!-- streams -->\nold\n<!-- end -->\ntext\n<!-- stages -->\n<!-- end -->\n"
        assert (
            with_table(page, "streams", "new")
            == "# Page\n<!-- streams -->\nnew\n<!-- end -->\ntext\n<!-- stages -->\n<!-- end -->\n"
        )

    def test_a_page_without_the_marks_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="no place for streams"):
            with_table("# Page\n", "streams", "new")

    def test_the_verdict_compares_with_funasr_and_with_what_is_possible(self) -> None:
        figures = {
            "streams_per_core": 12,
            "baseline_streams_per_core": 1.5,
            "int8_ceiling_streams_per_core": 24,
            "final_p95_s_at_70": 0.9,
            "models_mb": 1100,
            "mb_per_stream": 9.5,
        }
        told = verdict(figures)
        assert "**12 streams** (goal: 15), FunASR itself 1.5: 8.0 times as many" in told
        assert "50% of it" in told
        assert "Models take 1100 MB, each stream 9.5 MB more" in told
        assert "own server" not in told

    def test_the_verdict_names_funasrs_own_server_where_it_was_measured(self) -> None:
        figures = {
            "streams": 1,
            "loads": [
                {"streams": 1, "cpu_ms_per_s": 700, "behind_s": 1.3, "lines": 7},
                {"streams": 2, "cpu_ms_per_s": 680, "behind_s": 5.1, "lines": 14},
            ],
        }
        assert peer_verdict(figures) == (
            "FunASR's own server keeps up with 1: "
            "with 2 it takes 680 ms a second of each and ends 5.1 s late."
        )

    def test_each_load_is_a_row(self) -> None:
        rows = streams_table(LOADS).splitlines()
        assert len(rows) == 2 + len(LOADS)
        assert rows[3].startswith("| 12 | 50% | 80 | 0.10 / 0.40 | 0.20 / 1.20 / 1.50 |")

    def test_stages_add_up(self) -> None:
        table = stages_table(
            {
                "baseline_cpu_ms_per_s_by_stage": {"DECODE": 450.0, "EMBED": 29.0},
                "cpu_ms_per_s_by_stage_at_70": {"DECODE": 30.0, "EMBED": 7.0, "sessions": 0.5},
                "cpu_ms_per_s_by_stage": {"DECODE": 20.0, "EMBED": 7.0, "sessions": 0.5},
            }
        )
        assert "| decode | 450.0 | 30.0 | 20.0 |" in table
        assert "| sessions | 0.0 | 0.5 | 0.5 |" in table
        assert "| together | 479 | 38 | 28 |" in table


class TestTransport:
    figures = {
        "cpu_ms_embedded": 4.5,
        "cpu_ms_redis": 9.0,
        "cpu_ms_redis_by_process": {"web": 5.0, "worker": 4.0},
        "cpu_load": 7.7,
        "flood_embedded_rss_mib": 23.0,
        "flood_rss_mib": 12.0,
        "flood_lost_samples": 0,
        "flood_load": 3.1,
        "slow_reader_rss_mib": 0.5,
        "slow_reader_told": 6,
        "slow_reader_cut_off": 2,
        "slow-reader_load": 2.0,
        "fanout_last_p50_ms": 80,
        "fanout_last_p99_ms": 400,
        "fanout_missing": 0,
        "reconnect_2000_s": 6.1,
        "fan-out_load": 5.0,
    }

    def test_each_figure_stands_beside_its_goal_and_how_busy_the_machine_was(self) -> None:
        table = transport_table(self.figures)
        assert "| CPU ms per second of a stream, one process | 4.5 | 3 | 7.7 |" in table
        assert "| the same, p99, ms | 400 | 250 | 5.0 |" in table

    def test_cpu_time_is_told_apart_by_process(self) -> None:
        assert "(web 5.0, worker 4.0)" in transport_table(self.figures)


class TestPages:
    archive = {
        "list": {"first page": [21.0, 30.0]},
        "search": {"one character": [40.5, 44.0]},
        "admin": {"lines": [61.0, 70.0]},
    }
    figures = {
        "open_1500_ms": 71.0,
        "save_edit_ms": 20.3,
        "search_sqlite_ms": 42.6,
        "search_postgres_ms": 38.1,
        "first_load_kb": 139.1,
        "first_load_wire_kb": 57.4,
        "first_line_s": 0.71,
        "sqlite": archive,
        "postgres_5000000_lines": {**archive, "list": {"first page": [25.0, 31.0]}},
    }

    def test_each_figure_stands_beside_its_goal(self) -> None:
        table = pages_table(self.figures)
        assert "| the same, PostgreSQL, ms | 38.1 | 50 |" in table
        assert "| an edit in it, saved, ms | 20.3 | 100 |" in table

    def test_each_archive_that_was_measured_is_a_column(self) -> None:
        table = archives_table(self.figures)
        assert "|  | SQLite, 281,000 lines | PostgreSQL, 5,000,000 lines |" in table
        assert "| sessions: first page | 21.0 | 25.0 |" in table
        assert "| search: one character | 40.5 | 40.5 |" in table
        assert "| admin: lines | 61.0 | 61.0 |" in table


class TestChaos:
    figures = {
        "minutes": 17.0,
        "faults": 120,
        "meetings": 90,
        "unfinished_meetings": 1,
        "audio_s": 6000,
        "lines": 1000,
        "lost_lines": 2,
        "doubled_lines": 3,
        "wrong_lines": 4,
        "lost_samples": 5,
        "plain_sender_breaks": 6,
        "plain_sender_lost_max_s": 0.2,
        "recovery_p50_s": 0.1,
        "recovery_p95_s": 1.9,
        "recovery_max_s": 2.0,
    }

    def test_a_loss_is_said_as_it_is(self) -> None:
        told = chaos_verdict(self.figures)
        assert "2 were lost, 3 doubled, 4 wrong" in told
        assert "5 samples were lost" in told
        assert "1 never ended" in told


class TestFailover:
    def test_deaths_of_the_master_are_told_with_what_they_cost(self) -> None:
        figures: defaultdict[str, Any] = defaultdict(int, minutes=20.0, kills=20, lines=900, lost_lines=2)
        figures["without_master_max_s"] = 2.5
        assert "Waiting" not in failover_verdict(figures)
        figures["append_ms"] = {"with_wait": {"p50": 3, "p99": 9}, "without_wait": {"p50": 2, "p99": 8}}
        told = failover_verdict(figures)
        assert "In 20 minutes it was killed 20 times" in told
        assert "Of 900 lines **2 were lost, 0 doubled, 0 wrong**" in told
        assert "2.5 s at most" in told
        assert "take 3 ms (p50) and 9 ms (p99) instead of 2 and 8" in told


class TestPeople:
    FIGURES: ClassVar = dict(GOALS, cer_room=0.1707, marks_f1=0.889, cpu_ms_finals=107.14)

    def test_each_figure_stands_beside_its_goal_in_its_own_unit(self) -> None:
        table = people_table(self.FIGURES)
        assert "| in a room | 17.1% | at most 17.0% |" in table
        assert "| places of marks in spontaneous talk, F1 | 0.89 | at least 0.60 |" in table
        assert "one stream, ms: finals | 107 | at most 60 |" in table

    def test_every_goal_is_there(self) -> None:
        assert len(people_table(self.FIGURES).splitlines()) == 2 + len(GOALS)


class TestSpeakers:
    FIGURES: ClassVar = defaultdict(
        lambda: 0.5,
        model="campplus@1",
        der_heldout=0.1,
        der_heldout_live=0.2,
        der_heldout_one_speaker=0.7,
        der_heldout_missed=0.06,
        der_heldout_confusion=0.04,
        long_room_voices=[4, 5],
        long_room_people=[4, 4],
        identify_100k_ms=8.76,
    )

    def test_errors_stand_beside_those_of_the_trivial_answer(self) -> None:
        told = speakers_table(self.FIGURES)

        assert "| 20.0% / 10.0% (missed 6.0%, confused 4.0%; one speaker 70.0%) | 42 / 38% |" in told
        assert "| 8.8 | 10 |" in told
        assert "| 4 of 4, 5 of 4 |" in told
        assert told.splitlines()[0] == "|  | campplus | goal, at most |"

    def test_another_set_that_was_measured_has_a_column_of_its_own(self) -> None:
        other = dict(self.FIGURES, model="tdnn@2", identify_100k_ms=3.0)
        for row in speakers_table(self.FIGURES).splitlines():
            assert row.count("|") == 4
        figures = defaultdict(lambda: 0.5, self.FIGURES, embedded=defaultdict(lambda: 0.5, other))

        told = speakers_table(figures)

        assert told.splitlines()[0] == "|  | campplus | tdnn | goal, at most |"
        assert "| 8.8 | 3.0 | 10 |" in told

    def test_groups_of_figures_are_no_sets(self) -> None:
        figures = defaultdict(lambda: 0.5, self.FIGURES, open_set_by_seconds={"1": {}}, skipped={"x": "no"})

        assert speakers_table(figures) == speakers_table(self.FIGURES)


class TestEndurance:
    def test_what_is_left_behind_is_said_as_it_is(self) -> None:
        table = endurance_table(
            {
                "stream_minutes": 60,
                "old_over_new": 1.2,
                "stream_growth_mib": 3.4,
                "sessions": 1000,
                "sessions_growth_mib": 5.6,
                "sessions_alive": 7,
                "states_kept": 8,
                "jobs_kept": 9,
                "live_streams": 6,
                "loop_lag_p50_ms": 0.1,
                "loop_lag_p99_ms": 22.5,
                "int8_costs_points": 0.6,
            }
        )
        for told in ("| 1.2 |", "| 3.4 |", "| 5.6 |", "| 7, 8, 9 |", "| 0.1 / 22.5 |", "| 0.6 |"):
            assert told in table


class TestPicture:
    @pytest.fixture
    def picture(self) -> ElementTree.Element:
        return ElementTree.fromstring(latency_picture(LOADS))  # noqa: S314 - our own

    def test_it_has_a_curve_for_each_latency_and_a_point_for_each_load(
        self, picture: ElementTree.Element
    ) -> None:
        curves = picture.findall("{*}polyline")
        assert len(curves) == 3
        assert {len(curve.get("points", "").split()) for curve in curves} == {len(LOADS)}

    def test_more_latency_lies_higher(self, picture: ElementTree.Element) -> None:
        finals = picture.findall("{*}polyline")[1].get("points", "").split()
        heights = [float(point.split(",")[1]) for point in finals]
        assert heights[0] > heights[1]
