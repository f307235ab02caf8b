"""A sentence that says what would be right, as something to press."""

import pytest

from badgerjobs.web.templatetags.offers import offer


@pytest.mark.parametrize(
    ("sentence", "offered"),
    [
        ("P1H is not an ISO 8601 duration: did you mean PT1H?", "PT1H"),
        ("Begin with http:// or https://. Did you mean https://example.com/a?b=c?", "https://example.com/a?b=c"),
        ("@daily is not understood: write 0 0 * * *.", "0 0 * * *"),
    ],
)
def test_what_a_sentence_offers_is_a_button(sentence: str, offered: str) -> None:
    shown = offer(sentence, "there")
    assert f'value="fill:there={offered}" data-fill="there">{offered}</button>' in shown
    assert shown.startswith(sentence.partition(offered)[0])


@pytest.mark.parametrize(
    "sentence",
    ["It needs five fields.", "'x' is not an ISO 8601 duration: write it like PT15M (15 minutes), PT1H, P1D or P1M."],
)
def test_a_sentence_that_offers_nothing_stays_as_it_is(sentence: str) -> None:
    assert offer(sentence, "there") == sentence


def test_what_somebody_typed_never_becomes_markup() -> None:
    shown = offer('<b>: did you mean "><script>?', "there")
    assert "<b>" not in shown
    assert "<script>" not in shown
    assert 'fill:there=">' not in shown
