"""Brings the figures in docs/performance.md, people.md, speakers.md and hotwords.md up to date.

    python -m benchmarks.performance_page

Between `<!-- NAME -->` and `<!-- end -->` it writes a table from `benchmarks/results/`, and beside the page
a picture of latency against streams.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import results
from .people import AT_LEAST, GOALS
from .speakers import table as speakers_figures

PAGE = Path("docs/performance.md")
PICTURE = Path("docs/latency.svg")

CURVES = (
    ("partial_p95_s", "partials, p95", "#9a6700"),
    ("final_p95_s", "finals, p95", "#0550ae"),
    ("final_p50_s", "finals, p50", "#6e7781"),
)

Figures = Mapping[str, Any]

Tell = Callable[[Figures, str], str]
"""Says figures in Markdown, with where they are from."""


def main() -> None:
    blocks = list(_blocks())
    for path in sorted({path for path, _, _ in blocks}):
        page = path.read_text(encoding="utf-8")
        for its, name, told in blocks:
            if its == path:
                page = with_table(page, name, told)
        path.write_text(page, encoding="utf-8")
        print(f"{path} shows what benchmarks/results holds")
    if streams := results.read("streams"):
        PICTURE.write_text(latency_picture(streams["loads"]), encoding="utf-8")


def _blocks() -> Iterator[tuple[Path, str, str]]:
    """Yield the page, the name and the text of each result that there is."""
    for name, (path, tell) in _TOLD.items():
        if figures := results.read(name):
            yield path, name, tell(figures, results.origin(name))
    if streams := results.read("streams"):
        yield PAGE, "stages", stages_table(streams)


def with_table(page: str, name: str, table: str) -> str:
    """The page with this table between its marks.

    Raises:
        ValueError: If the page has no such marks.
    """
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not marks.search(page):
        raise ValueError(f"the page has no place for {name}: <!-- {name} --> and <!-- end -->")
    return marks.sub(lambda found: f"{found[1]}{table}\n{found[2]}", page)


def verdict(figures: Figures) -> str:
    """What a core holds, beside FunASR and beside what is possible."""
    ours, funasr = figures["streams_per_core"], figures["baseline_streams_per_core"]
    ceiling = figures["int8_ceiling_streams_per_core"]
    return (
        f"A core holds **{ours} streams** (goal: 15), FunASR itself {funasr}: {ours / funasr:.1f} times as "
        f"many. Bare 8-bit products would allow {ceiling}; that is {ours / ceiling:.0%} of it. "
        f"{_verdict_at_70(figures)} Models take "
        f"{figures['models_mb']} MB, each stream {figures['mb_per_stream']} MB more."
        + (f" {peer_verdict(figures['peer'])}" if "peer" in figures else "")
    )


def _verdict_at_70(figures: Figures) -> str:
    if figures["final_p95_s_at_70"] is None:
        return "No load near 70 % of that was tried."
    found = f"At 70 % of the load the p95 of finals is {figures['final_p95_s_at_70']} s (goal: 1 s)"
    if first := figures.get("first_partial_p50_s"):
        found += f", the first words of a line are there {first} s after it began (p50; goal: 0.6 s)"
    return f"{found}."


def peer_verdict(figures: Figures) -> str:
    """How many streams FunASR's own server keeps up with, and how it does not with more."""
    *_, most = figures["loads"]
    return (
        f"FunASR's own server keeps up with {figures['streams']}: with {most['streams']} it takes "
        f"{most['cpu_ms_per_s']} ms a second of each and ends {most['behind_s']} s late."
    )


def speakers_table(figures: Figures) -> str:
    """How often it is right who is speaking, and what a line costs."""
    columns = speakers_figures.columns_of(figures)
    return as_table(speakers_figures.heads_of(columns), speakers_figures.rows_of(columns))


def people_table(figures: Figures) -> str:
    """How well people are recognised, and what it costs, beside the goals."""
    rows = []
    for what, name in _PEOPLE:
        goal = f"{'at least' if name in AT_LEAST else 'at most'} {_people_figure(name, GOALS[name])}"
        rows.append([what, _people_figure(name, figures[name]), goal])
    return as_table(["", "measured", "goal"], rows)


_PEOPLE = (
    ("characters wrong, 30 speakers (AISHELL-3)", "cer_aishell3"),
    ("one speaker, 150 lines (AISHELL-1 S0150)", "cer_aishell1"),
    ("the 30 speakers with noise at 10 dB", "cer_noise_10db"),
    ("in a room", "cer_room"),
    ("by telephone", "cer_telephone"),
    ("places of marks in spontaneous talk, F1", "marks_f1"),
    ("lines that end inside a word, in ten minutes without pauses", "cuts_inside_words"),
    ("pieces of 132 without speech that get a text", "hallucinated"),
    ("spoken lines without text", "lost"),
    ("processor for a second of speech, one stream, ms: finals", "cpu_ms_finals"),
    ("the same with partials", "cpu_ms_partials"),
)


def _people_figure(name: str, value: float) -> str:
    if name.startswith("cer_"):
        return f"{value:.1%}"
    return f"{value:.2f}" if name == "marks_f1" else f"{value:.0f}"


def hotwords_told(figures: Figures, origin: str) -> str:
    """How many places hotwords find: by scripted noise, and among people if they were measured."""
    told = [f"{hotwords_verdict(figures)} {origin}", hotwords_table(figures)]
    told += [people_hotwords(figures)] if "people_table" in figures else []
    told += [seaco_hotwords(figures)] if "seaco_line_without_ms" in figures else []
    return "\n\n".join(told)


def hotwords_verdict(figures: Figures) -> str:
    """What the longest list finds in finished lines, what it invents and what it costs."""
    return (
        f"Of the places that are missed without hotwords **{figures['misses_found_share']:.0%} are found** "
        f"(goal: 50 %), with {figures['false_words_10db']} words at 10 dB that nobody said (goal: 0; "
        f"{figures['false_words_in_partials_10db']} more in partials), in {figures['ms_a_line']} ms a line "
        "(goal: 0.5)."
    )


def people_hotwords(figures: Figures) -> str:
    """What words that are written by their sound find in what people say."""
    rows = [
        [
            key.rpartition(", ")[2],
            f"{row['cer']:.1%}",
            f"{row['found']} of {row['places']}",
            row["false"],
        ]
        for key, row in figures["people_table"].items()
    ]
    return (
        f"Whisper base, {figures['people_lines']} lines of AISHELL, with the rare words of what is said in "
        f"them: **{figures['people_misses_found_share']:.0%}** of the misses are found.\n\n"
        + as_table(["list", "CER", "places found", "false"], rows)
    )


def seaco_hotwords(figures: Figures) -> str:
    """What the decoder for hotwords of a SeACo checkpoint costs."""
    costs = {int(key.rpartition("_")[2]): cost for key, cost in figures.items() if "seaco_ms_a_line_" in key}
    told = " and ".join(f"{cost} ms with {count} words" for count, cost in sorted(costs.items()))
    return (
        f"SeACo's own decoder, at full size with random weights, adds **{told}** to a line that takes "
        f"{figures['seaco_line_without_ms']} ms."
    )


def hotwords_table(figures: Figures) -> str:
    """Places found, and words that nobody said, by condition and length of the list."""
    rows: dict[str, list[str]] = {}
    counts: list[str] = []
    for key, row in figures["table"].items():
        condition, _, count = key.rpartition(", ")
        counts += [count] if count not in counts else []
        told = f"{row['cer']:.1%}, {row['found']} of {row['places']}, {row['false']}"
        rows.setdefault(condition, []).append(told)
    return as_table(["CER, places found, false", *counts], [[name, *own] for name, own in rows.items()])


def endurance_table(figures: Figures) -> str:
    """What lasts, and what 8 bits cost."""
    pairs = [
        (f"cost of a second after {figures['stream_minutes']} minutes, over that of a new stream",
         figures["old_over_new"], "0.95 to 1.05"),
        ("memory that it takes more at most in the last quarter of them than in the second, MiB",
         figures["stream_growth_mib"], "0"),
        (f"memory that {figures['sessions']} sessions take, from the 500th on, MiB",
         figures["sessions_growth_mib"], "0"),
        ("sessions, states of models and jobs that they leave behind",
         f"{figures['sessions_alive']}, {figures['states_kept']}, {figures['jobs_kept']}", "0, 0, 0"),
        (f"how late the event loop is beside {figures['live_streams']} live streams, p50 / p99, ms",
         f"{figures['loop_lag_p50_ms']} / {figures['loop_lag_p99_ms']}", "p99 below 20"),
        ("what 8 bits cost at most in one of the held-out sets, points of CER",
         figures["int8_costs_points"], "at most 0.5"),
    ]  # fmt: skip
    return as_table(["", "measured", "goal"], pairs)


def streams_table(loads: Sequence[Figures]) -> str:
    """One row for each number of streams."""
    rows = [
        [
            load["streams"],
            f"{load['utilisation']:.0%}",
            f"{load['cpu_ms_per_s']:.0f}" if load.get("keeps_up", True) else "-",
            f"{load['partial_p50_s']:.2f} / {load['partial_p95_s']:.2f}",
            f"{load['final_p50_s']:.2f} / {load['final_p95_s']:.2f} / {load['final_p99_s']:.2f}",
            f"{load['final_after_speech_p50_s']:.2f} / {load['final_after_speech_p95_s']:.2f}",
            load["dropped_partials"],
        ]
        for load in loads
    ]
    heads = [
        "streams",
        "core busy",
        "CPU ms per s",
        "partials p50 / p95, s",
        "finals p50 / p95 / p99, s",
        "after speech p50 / p95, s",
        "lines without partials",
    ]
    return as_table(heads, rows)


def stages_table(figures: Figures) -> str:
    """CPU time by stage: alone in FunASR, here at 70 % load and full."""
    ours, full = (figures[f"cpu_ms_per_s_by_stage{at}"] or {} for at in ("_at_70", ""))
    funasr = figures["baseline_cpu_ms_per_s_by_stage"]
    stages = [*funasr, *(stage for stage in ours if stage not in funasr)]
    rows = [[stage.lower(), *(f"{of.get(stage, 0):.1f}" for of in (funasr, ours, full))] for stage in stages]
    rows.append(["together", *(f"{sum(of.values()):.0f}" for of in (funasr, ours, full))])
    return as_table(["CPU ms per second of audio", "FunASR", "here, 70 % load", "here, most streams"], rows)


def embedded_table(figures: Figures) -> str:
    stages = figures["cpu_ms_per_s_by_stage"]
    parts = ", ".join(f"{stage.lower()} {spent:.1f}" for stage, spent in stages.items())
    rows = [
        ["real-time factor of one stream on one core", figures["real_time_factor"], "below 0.06"],
        ["of it by stage, CPU ms per second of audio", parts, ""],
    ]
    if "memory_mb" in figures:
        rows += [
            ["resident memory of the serving process, MB", figures["memory_mb"], "at most 1024"],
            ["from starting the process until ready, s", figures["ready_s"], "at most 10"],
            ["CPU time until then, s", figures["ready_cpu_s"], ""],
        ]
    return as_table(["", "measured", "goal"], rows)


def latency_table(figures: Figures) -> str:
    """The waiting of a reader, at a server with one session."""
    rows = [
        [
            "from the beginning of a line to its first words, p50, s",
            figures["first_partial_p50_s"],
            "at most 0.8",
        ],
        ["the longest of them, s", figures["first_partial_max_s"], ""],
        [
            "from the end of a line to its last word, p50 / p95, s",
            f"{figures['final_p50_s']} / {figures['final_p95_s']}",
            "",
        ],
    ]
    return as_table(["", "measured", "goal"], rows)


def transport_table(figures: Figures) -> str:
    """What was measured of carrying sessions beside its goals, and how busy the machine was meanwhile."""
    shares = ", ".join(f"{name} {spent:.1f}" for name, spent in figures["cpu_ms_redis_by_process"].items())
    told = f"{figures['slow_reader_told']} told 4430, {figures['slow_reader_cut_off']} cut off"
    rows = [
        ["CPU ms per second of a stream, one process", figures["cpu_ms_embedded"], "3", "cpu"],
        [f"the same through Redis and PostgreSQL ({shares})", figures["cpu_ms_redis"], "8", "cpu"],
        ["memory that 512 MB at once take, one process, MiB", figures["flood_embedded_rss_mib"], "", "flood"],
        ["the same of a web process through Redis, MiB", figures["flood_rss_mib"], "32", "flood"],
        ["samples of it that were not recognised", figures["flood_lost_samples"], "0", "flood"],
        [
            f"memory for each reader that never reads, MiB ({told})",
            figures["slow_reader_rss_mib"],
            "4",
            "slow-reader",
        ],
        ["a line at the last of 1000 receivers, p50, ms", figures["fanout_last_p50_ms"], "", "fan-out"],
        ["the same, p99, ms", figures["fanout_last_p99_ms"], "250", "fan-out"],
        ["lines missing there", figures["fanout_missing"], "0", "fan-out"],
        ["2000 receivers back after a crash, s", figures["reconnect_2000_s"], "15", "fan-out"],
    ]
    return as_table(
        ["", "measured", "goal (at most)", "load average"],
        [[*row, figures.get(f"{part}_load", "")] for *row, part in rows],
    )


def chaos_verdict(figures: Figures) -> str:
    """What was broken, what was lost, and how soon lines came again, in a paragraph."""
    lost, doubled, wrong = (figures[f"{what}_lines"] for what in ("lost", "doubled", "wrong"))
    p50, p95, most = (figures[f"recovery_{which}_s"] for which in ("p50", "p95", "max"))
    return (
        f"In {figures['minutes']:.0f} minutes {figures['faults']} faults met {figures['meetings']} meetings "
        f"({figures['unfinished_meetings']} never ended), {figures['audio_s'] / 60:.0f} minutes of audio. "
        f"Of {figures['lines']} lines **{lost} were lost, {doubled} doubled, {wrong} wrong**; "
        f"{figures['lost_samples']} samples were lost, besides what plain senders had on its way when a "
        f"connection broke ({figures['plain_sender_lost_max_s']} s at most, {figures['plain_sender_breaks']} "
        f"times). When a fault made lines late, they came again after {p50} s (p50), {p95} s (p95), "
        f"{most} s at most."
    )


def failover_verdict(figures: Figures) -> str:
    """How often what all rely on was killed, how long there was none, and what was lost, in a paragraph."""
    lost, doubled, wrong = (figures[f"{what}_lines"] for what in ("lost", "doubled", "wrong"))
    told = (
        f"In {figures['minutes']:.0f} minutes it was killed {figures['kills']} times, during "
        f"{figures['meetings']} meetings ({figures['unfinished_meetings']} never ended); there was none for "
        f"{figures['without_master_p50_s']} s (p50), {figures['without_master_max_s']} s at most. Of "
        f"{figures['lines']} lines **{lost} were lost, {doubled} doubled, {wrong} wrong**, and of the audio "
        f"{figures['lost_samples']} samples; connections of plain senders broke "
        f"{figures['plain_sender_breaks']} times, which cost {figures['plain_sender_lost_max_s']} s at most. "
        f"Lines came again {figures['recovery_p50_s']} s (p50), {figures['recovery_p95_s']} s (p95) after "
        f"there was another."
    )
    if "append_ms" not in figures:
        return told
    cost, alone = (figures["append_ms"][which] for which in ("with_wait", "without_wait"))
    return (
        f"{told} Waiting for the replica before audio is acknowledged would make the request with the audio "
        f"of 40 senders take {cost['p50']} ms (p50) and {cost['p99']} ms (p99) instead of {alone['p50']} "
        f"and {alone['p99']}."
    )


def pages_table(figures: Figures) -> str:
    rows = [
        ["a transcript of 1,500 lines, opened, ms", figures["open_1500_ms"], 1000],
        ["an edit in it, saved, ms", figures["save_edit_ms"], 100],
        ["the slowest search in 281,000 lines, SQLite, ms", figures["search_sqlite_ms"], 300],
        ["the same, PostgreSQL, ms", figures["search_postgres_ms"], 50],
        ["scripts and styles of the first page, kB", figures["first_load_kb"], 150],
        ["the same, as they are sent", figures["first_load_wire_kb"], 60],
        ["the first of 1,500 lines, with a round trip of 100 ms, s", figures["first_line_s"], 0.9],
    ]
    return as_table(["", "measured", "goal (at most)"], rows)


def archives_table(figures: Figures) -> str:
    """What each page of the history takes, in ms of processor time, one column for each archive."""
    archives = {
        f"{title}, {count} lines": figures[f"{database}{suffix}"]
        for suffix, count in (("", "281,000"), ("_5000000_lines", "5,000,000"))
        for database, title in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
        if f"{database}{suffix}" in figures
    }
    first = next(iter(archives.values()))
    rows = [
        [f"{title}: {name}", *(archive[kind][name][0] for archive in archives.values())]
        for kind, title in (("list", "sessions"), ("search", "search"), ("admin", "admin"))
        for name in first[kind]
    ]
    return as_table(["", *archives], rows)


def latency_picture(loads: Sequence[Figures]) -> str:
    """Latency against streams, as SVG."""
    width, height, left, bottom, top = 640, 320, 52, 44, 16
    most_streams: int = max(load["streams"] for load in loads)
    most_s: float = max(1.2, *(load[key] for load in loads for key, _, _ in CURVES))

    def x(streams: float) -> float:
        return left + (width - left - 120) * streams / most_streams

    def y(seconds: float) -> float:
        return top + (height - top - bottom) * (1 - seconds / most_s)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" role="img" aria-label="Latency against streams on a core">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<line x1="{x(0)}" y1="{y(1):.1f}" x2="{x(most_streams):.1f}" y2="{y(1):.1f}" '
        'stroke="#cf222e" stroke-dasharray="4 4"/>',
        f'<text x="{left - 8}" y="{y(1) + 4:.1f}" text-anchor="end">1 s</text>',
        f'<text x="{left - 8}" y="{y(0) + 4:.1f}" text-anchor="end">0</text>',
        f'<path d="M{left} {top}V{y(0):.1f}H{x(most_streams):.1f}" fill="none" stroke="#57606a"/>',
        f'<text x="{x(most_streams / 2):.0f}" y="{height - 8}" text-anchor="middle">streams on a core</text>',
    ]
    parts += [
        f'<text x="{x(count):.1f}" y="{y(0) + 18:.1f}" text-anchor="middle">{count}</text>'
        for count in (load["streams"] for load in loads)
    ]
    for key, title, colour in CURVES:
        points = " ".join(f"{x(load['streams']):.1f},{y(load[key]):.1f}" for load in loads)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        end = f'x="{x(most_streams) + 8:.1f}" y="{y(loads[-1][key]) + 4:.1f}"'
        parts.append(f'<text {end} fill="{colour}">{title}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def as_table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _table(of: Callable[[Figures], str]) -> Tell:
    return lambda figures, origin: f"{origin}\n\n{of(figures)}"


def _verdict(of: Callable[[Figures], str]) -> Tell:
    return lambda figures, origin: f"{of(figures)} {origin}"


_TOLD: dict[str, tuple[Path, Tell]] = {
    "streams": (
        PAGE,
        lambda figures, origin: f"{verdict(figures)} {origin}\n\n{streams_table(figures['loads'])}",
    ),
    "embedded": (PAGE, _table(embedded_table)),
    "latency": (PAGE, _table(latency_table)),
    "endurance": (PAGE, _table(endurance_table)),
    "transport": (PAGE, _table(transport_table)),
    "chaos": (PAGE, _verdict(chaos_verdict)),
    "failover": (PAGE, _verdict(failover_verdict)),
    "failover_postgresql": (PAGE, _verdict(failover_verdict)),
    "pages": (PAGE, _table(lambda figures: f"{pages_table(figures)}\n\n{archives_table(figures)}")),
    "people": (Path("docs/people.md"), _table(people_table)),
    "speakers": (Path("docs/speakers.md"), _table(speakers_table)),
    "hotwords": (Path("docs/hotwords.md"), hotwords_told),
}
"""By the name of a result: the page that has it, between marks of that name."""


if __name__ == "__main__":
    main()
