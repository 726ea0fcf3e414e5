"""How often it is right who is speaking, and what that costs.

    ASR_ASSETS=FOLDER python -m benchmarks.speakers [--models NAME] [--beside NAME] [--ship]

Recordings are at ASR_ASSETS, see `people`. The people measured on are unknown to the embedded models. What
must be learnt from people, cohort and calibration, is learnt from others than those it is tried on.
With `--ship`, a calibration learnt from all is written to `speakers/calibrations/`, to come with the model.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import django

from recognition.exceptions import ModelError
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import read_model_set

from .. import results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speakers", description=__doc__)
    parser.add_argument("--models", default=os.environ.get("ASR_MODELS", "people"), metavar="NAME")
    parser.add_argument("--beside", default="embedded", metavar="NAME", help="a set to compare with")
    parser.add_argument("--ship", action="store_true", help="write the calibration that comes with the model")
    options = parser.parse_args()
    assets = os.environ.get("ASR_ASSETS")
    if not assets:
        sys.exit("Set ASR_ASSETS to a folder of recordings with a manifest.json.")
    results.write("speakers", report(options.models, options.beside, Path(assets), ship=options.ship))


def report(name: str, beside: str, assets: Path, *, ship: bool = False) -> dict[str, Any]:
    """All figures of a set, with those of another one under its name; a set that cannot be had is skipped."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asrsite.settings")
    django.setup()
    from .measuring import measure  # needs Django's settings

    figures: dict[str, Any] = {}
    skipped: dict[str, str] = {}
    for each in dict.fromkeys((name, beside)):
        try:
            models = _loaded(each)
        except ModelError as error:
            skipped[each] = str(error)
            print(f"{each} is skipped: {error}")
            continue
        found = measure(models, assets, ship=ship)
        print(_verdict(found))
        figures = figures | {each: found} if figures else found
    if not figures:
        sys.exit("None of the model sets can be loaded.")
    return figures | ({"skipped": skipped} if skipped else {})


def _loaded(name: str) -> Models:
    return load_models(read_model_set(name), Path("var/models"))


def _verdict(figures: dict[str, Any]) -> str:
    return (
        f"{figures['model']}: one against one, equal error {figures['eer_single_1s']:.1%} at 1 s, "
        f"{figures['eer_single_3s']:.1%} at 3 s, far {figures['eer_far_1s']:.1%} and "
        f"{figures['eer_far_3s']:.1%}; right of ten people {figures['closed_set_accuracy']:.1%}; "
        f"strangers named {figures['open_set_false_accepts']:.1%}, enrolled unnamed "
        f"{figures['open_set_false_rejects']:.1%}; diarization error {figures['der_heldout']:.1%} "
        f"(at once {figures['der_heldout_live']:.1%}, easy {figures['der_heldout_easy']:.1%}, "
        f"one speaker {figures['der_heldout_one_speaker']:.1%}), all {figures['der_all']:.1%}, "
        f"without pauses {figures['joined_der']:.1%}, room {figures['room_der']:.1%}, "
        f"long {figures['long_room_der']:.1%}; {figures['three_hours_right']:.1%} right after three hours; "
        f"a line among 100,000 voices {figures['identify_100k_ms']:.1f} ms"
    )


if __name__ == "__main__":
    main()
