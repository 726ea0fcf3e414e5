from __future__ import annotations

import pytest

from sessions_app.access.decision import (
    Access,
    AccessDecision,
    Level,
    Right,
    Visitor,
    decide,
    granted,
    is_local,
    is_origin_allowed,
    rights,
)

STRANGER = Visitor(is_local=False)
LOCAL = Visitor(is_local=True)
HOSTS = ["localhost", "127.0.0.1", "[::1]", ".example.org"]


class TestDecision:
    @pytest.mark.parametrize(
        ("access", "visitor", "verdict"),
        [
            (Access.LOCAL, LOCAL, AccessDecision.ADMITTED),
            (Access.LOCAL, STRANGER, AccessDecision.UNKNOWN),
            (Access.TOKEN, LOCAL, AccessDecision.UNKNOWN),
            (Access.TOKEN, STRANGER, AccessDecision.UNKNOWN),
            (Access.OPEN, STRANGER, AccessDecision.ADMITTED),
        ],
    )
    def test_without_token_or_login_the_setting_decides(
        self, access: Access, visitor: Visitor, verdict: AccessDecision
    ) -> None:
        assert decide(access, visitor) is verdict

    @pytest.mark.parametrize("access", Access)
    def test_a_good_token_opens(self, access: Access) -> None:
        assert decide(access, Visitor(False, has_token=True, is_token_good=True)) is AccessDecision.ADMITTED

    @pytest.mark.parametrize("access", Access)
    @pytest.mark.parametrize("is_here", [True, False])
    def test_a_bad_token_is_no_better_than_it_says(self, access: Access, is_here: bool) -> None:
        visitor = Visitor(is_here, has_login=True, has_permission=True, has_token=True)
        assert decide(access, visitor) is AccessDecision.FORBIDDEN

    def test_a_login_with_the_permission_opens(self) -> None:
        visitor = Visitor(False, has_login=True, has_permission=True)
        assert decide(Access.TOKEN, visitor) is AccessDecision.ADMITTED

    def test_a_login_without_it_is_told_so(self) -> None:
        assert decide(Access.TOKEN, Visitor(False, has_login=True)) is AccessDecision.FORBIDDEN


class TestGranted:
    @pytest.mark.parametrize(
        ("level", "expected"),
        [
            (Level.READ, {Right.READ}),
            (Level.COMMENT, {Right.READ, Right.COMMENT}),
            (Level.EDIT, {Right.READ, Right.COMMENT, Right.EDIT, Right.EXPORT}),
        ],
    )
    def test_a_shared_session_is_for_its_level_whatever_else_one_may(
        self, level: Level, expected: set[Right]
    ) -> None:
        assert granted([], has_reach=False, levels=[level]) == expected
        everything = granted(Right, has_reach=False, levels=[level])
        assert everything == expected | {Right.EXPORT}, "who reads it and may export what they read"

    def test_of_several_levels_the_highest_counts(self) -> None:
        both = granted([], has_reach=False, levels=[Level.EDIT, Level.READ])

        assert both == granted([], has_reach=False, levels=[Level.EDIT])

    def test_permissions_that_do_not_reach_give_nothing(self) -> None:
        assert granted(Right, has_reach=False, levels=[]) == set()
        assert granted([Right.READ], has_reach=True, levels=[]) == {Right.READ}

    def test_permissions_and_shares_add_up(self) -> None:
        found = granted([Right.READ, Right.SHARE], has_reach=True, levels=[Level.COMMENT])

        assert found == {Right.READ, Right.SHARE, Right.COMMENT}

    def test_who_may_change_a_transcript_may_comment_on_it(self) -> None:
        assert granted([Right.EDIT], has_reach=True, levels=[]) == {Right.EDIT, Right.COMMENT}


class TestRights:
    def test_permissions_give_their_rights_and_no_more(self) -> None:
        granted = [Right.READ, Right.EDIT]
        assert rights(Access.LOCAL, STRANGER, granted) == set(granted)
        assert rights(Access.TOKEN, LOCAL, []) == set()

    @pytest.mark.parametrize(("access", "visitor"), [(Access.LOCAL, LOCAL), (Access.OPEN, STRANGER)])
    def test_who_is_trusted_changes_nothing_without_a_login(self, access: Access, visitor: Visitor) -> None:
        assert rights(access, visitor, []) == {Right.READ, Right.SEND, Right.EXPORT}
        assert Right.EDIT in rights(access, visitor, [Right.EDIT])

    @pytest.mark.parametrize("access", Access)
    def test_a_link_gives_reading_whoever_opens_it(self, access: Access) -> None:
        for is_here in (True, False):
            bearer = Visitor(is_here, has_login=True, has_token=True, is_token_good=True)
            assert rights(access, bearer, list(Right)) == {Right.READ}

    @pytest.mark.parametrize("access", Access)
    def test_a_bad_link_gives_nothing(self, access: Access) -> None:
        assert rights(access, Visitor(True, has_token=True), list(Right)) == set()


class TestLocal:
    @pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
    def test_loopback_is_this_machine(self, peer: str) -> None:
        assert is_local(peer, ["host", "user-agent"])

    @pytest.mark.parametrize(
        "peer", ["10.0.0.1", "192.168.1.7", "::2", "::ffff:10.0.0.1", "localhost", "", None]
    )
    def test_anything_else_is_not(self, peer: str | None) -> None:
        assert not is_local(peer, [])

    @pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
    def test_a_proxy_on_this_machine_speaks_for_others(self, header: str) -> None:
        assert not is_local("127.0.0.1", ["host", header])


def allowed(origin: str | None, host: str, *, scheme: str = "ws", trusted: list[str] | None = None) -> bool:
    headers = {"host": host} | ({"origin": origin} if origin is not None else {})
    return is_origin_allowed(headers, scheme=scheme, allowed_hosts=HOSTS, trusted_origins=trusted or [])


class TestOrigin:
    def test_a_client_that_is_no_browser_has_none(self) -> None:
        assert allowed(None, "anything")

    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://localhost", "localhost"),
            ("http://[::1]:8000", "[::1]:8000"),
            ("https://meet.example.org", "meet.example.org"),
            ("https://meet.example.org", "meet.example.org:443"),
        ],
    )
    def test_our_own_pages_may(self, origin: str, host: str) -> None:
        assert allowed(origin, host)

    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("http://evil.example", "127.0.0.1:8000"),
            ("null", "127.0.0.1:8000"),
            ("http://localhost:3000", "localhost:8000"),
            ("http://127.0.0.1.evil.example:8000", "127.0.0.1:8000"),
            ("file://", "127.0.0.1:8000"),
            ("http://127.0.0.1:nonsense", "127.0.0.1:8000"),
            ("", "127.0.0.1:8000"),
        ],
    )
    def test_nobody_elses_may(self, origin: str, host: str) -> None:
        assert not allowed(origin, host)

    def test_a_strangers_name_for_this_machine_is_no_host_of_ours(self) -> None:
        assert not allowed("http://rebound.evil:8000", "rebound.evil:8000")

    def test_a_plain_page_may_not_open_a_secure_socket(self) -> None:
        assert not allowed("http://meet.example.org", "meet.example.org", scheme="wss")

    def test_trusted_origins_may(self) -> None:
        assert allowed("https://intranet", "127.0.0.1:8000", trusted=["https://intranet"])
