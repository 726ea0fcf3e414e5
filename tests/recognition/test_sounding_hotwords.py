"""What sounds like a hotword is written as one, unless it is a word that everybody uses."""

from __future__ import annotations

import pytest

from recognition.hotwords import Hotword, Hotwords
from recognition.interfaces import Token
from recognition.sounding_hotwords import Compiled, SoundingHotwords, sound


def tokens(*texts: str) -> list[Token]:
    return [Token(text, 10 * place, 10 * place + 9) for place, text in enumerate(texts)]


def written(text: str, *words: str) -> str:
    found = SoundingHotwords(Hotwords(tuple(map(Hotword, words)))).written(tokens(*text))
    return "".join(token.text for token in found)


class TestChinese:
    @pytest.mark.parametrize(
        ("heard", "word", "right"),
        [
            ("请汪磊说一下", "王磊", "请王磊说一下"),
            ("让林敬来吧", "林静", "让林静来吧"),
            ("问一下章伟", "张炜", "问一下张炜"),
        ],
    )
    def test_a_name_that_sounds_so_is_written_so(self, heard: str, word: str, right: str) -> None:
        assert written(heard, word) == right

    def test_what_many_speakers_do_not_tell_apart_sounds_alike(self) -> None:
        assert sound("张静") == sound("脏进")
        assert sound("生") == sound("森")
        assert sound("王磊") != sound("网类"[::-1])

    def test_a_usual_word_stays(self) -> None:
        assert written("我们开始实施方案", "石诗") == "我们开始实施方案"

    def test_half_of_a_usual_word_is_no_name(self) -> None:
        assert written("大家好好工作", "佳豪") == "大家好好工作"

    def test_a_hotword_that_is_written_already_stays(self) -> None:
        assert written("王磊和汪蕾", "王磊", "汪蕾") == "王磊和汪蕾"

    def test_the_longer_of_two_is_written(self) -> None:
        assert written("请汪磊杰说", "王磊", "王雷杰") == "请王雷杰说"

    def test_of_two_that_sound_alike_the_first_is_written(self) -> None:
        assert written("请汪类说", "王磊", "王雷") == "请王磊说"

    def test_other_scripts_between_are_no_part_of_it(self) -> None:
        assert written("汪A磊", "王磊") == "汪A磊"


class TestLetters:
    def test_a_word_is_spelt_as_the_hotword_is(self) -> None:
        hotwords = SoundingHotwords(Hotwords((Hotword("Kubernetes"), Hotword("iOS"))))
        found = hotwords.written(tokens("用", "kubernetes", "IOS", "ioses"))
        assert [token.text for token in found] == ["用", "Kubernetes", "iOS", "ioses"]


class TestTokens:
    def test_times_and_marks_stay(self) -> None:
        heard = [Token("汪", 3, 5, ""), Token("磊", 6, 9, "，")]
        found = SoundingHotwords(Hotwords((Hotword("王磊"),))).written(heard)
        assert found == [Token("王", 3, 5, ""), Token("磊", 6, 9, "，")]


class TestSessions:
    def test_each_has_its_own(self) -> None:
        compiled, heard = Compiled(), tokens(*"汪磊")
        one, other = Hotwords((Hotword("王磊"),)), Hotwords((Hotword("汪蕾"),))
        texts = [
            "".join(token.text for token in compiled.written(heard, words))
            for words in (one, other, None, one)
        ]
        assert texts == ["王磊", "汪蕾", "汪磊", "王磊"]

    def test_nothing_heard_is_nothing_written(self) -> None:
        assert Compiled().written([], Hotwords((Hotword("王磊"),))) == []
