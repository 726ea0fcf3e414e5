"""Accounts, roles and passwords outside the admin, and whoever may not be made what by whom."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from sessions_app.access import roles

from ..meetings import make_user

pytestmark = pytest.mark.django_db

PASSWORD = "a fairly long one"


@pytest.fixture
def manager() -> User:
    return make_user("manager", "manager")


@pytest.fixture
def client(manager: User) -> Client:
    return logged_in(manager)


def logged_in(user: User) -> Client:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.force_login(user)
    return client


def roles_of(user: User) -> set[str]:
    return set(user.groups.values_list("name", flat=True))


def ticked(*names: str) -> list[int]:
    return [Group.objects.get(name=name).pk for name in names]


def change_page(user: User) -> str:
    return reverse("change-account", args=[user.pk])


class TestOwnAccount:
    def test_tells_in_words_what_one_may_do(self) -> None:
        page = logged_in(make_user("anna", "transcriber", "enroller")).get("/account/").text

        assert "Records meetings; corrects, exports, shares and deletes their own." in page
        assert "Enrolls people with their consent" in page
        assert "no role yet" not in page

    def test_without_a_role_says_who_gives_one(self, manager: User) -> None:
        User.objects.create_superuser("root")
        make_user("closed", "manager")
        User.objects.filter(username="closed").update(is_active=False)

        page = logged_in(make_user("anna")).get("/account/").text

        assert "This account has no role yet" in page
        assert "These people can give it one: manager, root." in page

    def test_a_role_of_an_administrators_own_has_its_name(self) -> None:
        Group.objects.create(name="Night shift")

        assert "Night shift" in logged_in(make_user("anna", "Night shift")).get("/account/").text

    def test_managing_is_offered_to_managers(self, client: Client) -> None:
        assert "/accounts/" in client.get("/account/").text
        assert "/accounts/" not in logged_in(make_user("anna", "editor")).get("/account/").text

    def test_the_password_is_changed_and_the_login_stays(self) -> None:
        anna = make_user("anna")
        anna.set_password("old")
        anna.save()
        client = logged_in(anna)
        change = {"old_password": "old", "new_password1": PASSWORD, "new_password2": PASSWORD}

        page = client.post("/account/password/", change, follow=True)

        assert "Your password was changed." in page.text
        anna.refresh_from_db()
        assert anna.check_password(PASSWORD)

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [("wrong", PASSWORD, "old password was entered incorrectly"), ("old", "abc", "too short")],
    )
    def test_a_password_is_not_changed_by_a_stranger_nor_into_a_bad_one(
        self, old: str, new: str, words: str
    ) -> None:
        anna = make_user("anna")
        anna.set_password("old")
        anna.save()
        change = {"old_password": old, "new_password1": new, "new_password2": new}

        page = logged_in(anna).post("/account/password/", change)

        assert words in page.text
        anna.refresh_from_db()
        assert anna.check_password("old")


class TestStartPage:
    def test_who_has_no_role_is_told_so_and_not_that_there_is_nothing(self) -> None:
        page = logged_in(make_user("anna")).get("/").text

        assert "This account has no role yet" in page
        assert "Nothing has been recorded yet." not in page

    def test_who_has_one_is_not_told(self) -> None:
        assert "no role yet" not in logged_in(make_user("anna", "viewer")).get("/").text


class TestAccounts:
    def test_are_listed_with_roles_and_the_lack_of_them(self, client: Client) -> None:
        make_user("anna", "viewer")
        make_user("ben")

        page = client.get("/accounts/", {"q": "N"})

        found = {user.username: names for user, names in page.context["rows"]}
        assert found == {"anna": ["Reader"], "ben": [], "manager": ["Manager"]}
        assert "no role" in page.text

    def test_a_new_one_has_its_roles_and_a_password_that_is_shown_once(
        self, client: Client, manager: User
    ) -> None:
        page = client.post("/accounts/new/", {"username": "anna", "roles": ticked("viewer", "enroller")})

        anna = User.objects.get(username="anna")
        assert roles_of(anna) == {"viewer", "enroller"}
        assert not anna.is_staff
        assert anna.check_password(page.context["password"])
        assert page.context["password"] in page.text
        assert "no-store" in page["Cache-Control"]
        entry = LogEntry.objects.get()
        assert (entry.user, entry.object_id, entry.is_addition()) == (manager, str(anna.pk), True)

    def test_no_two_have_one_name(self, client: Client) -> None:
        make_user("anna", "viewer")

        page = client.post("/accounts/new/", {"username": "anna", "roles": ticked("editor")})

        assert "already exists" in page.text
        assert roles_of(User.objects.get(username="anna")) == {"viewer"}

    def test_roles_are_given_and_taken_on_record(self, client: Client, manager: User) -> None:
        anna = make_user("anna", "viewer")

        client.post(change_page(anna), {"roles": ticked("transcriber"), "is_active": "on"})

        assert roles_of(anna) == {"transcriber"}
        assert LogEntry.objects.get().user == manager

    def test_an_address_is_written_down_changed_and_taken_away(self, client: Client) -> None:
        form = {"roles": ticked("viewer"), "is_active": "on"}
        client.post("/accounts/new/", {"username": "anna", "email": "anna@example.org", **form})
        anna = User.objects.get(username="anna")
        assert anna.email == "anna@example.org"
        assert 'value="anna@example.org"' in client.get(change_page(anna)).text

        for address in ("a@example.org", ""):
            client.post(change_page(anna), {"email": address, **form})
            anna.refresh_from_db()
            assert anna.email == address

    def test_an_address_that_is_none_changes_nothing(self, client: Client) -> None:
        anna = make_user("anna", "viewer")
        form = {"email": "nowhere", "roles": ticked("editor"), "is_active": "on"}
        page = client.post(change_page(anna), form)
        anna.refresh_from_db()
        assert "Enter a valid email address." in page.text
        assert (anna.email, roles_of(anna)) == ("", {"viewer"})

    def test_an_account_is_closed_and_opened(self, client: Client) -> None:
        anna = make_user("anna", "viewer")

        client.post(change_page(anna), {"roles": ticked("viewer")})
        anna.refresh_from_db()
        assert not anna.is_active

        client.post(change_page(anna), {"roles": ticked("viewer"), "is_active": "on"})
        anna.refresh_from_db()
        assert anna.is_active

    def test_nobody_closes_their_own(self, client: Client, manager: User) -> None:
        client.post(change_page(manager), {"roles": ticked("manager", "viewer")})

        manager.refresh_from_db()
        assert manager.is_active
        assert roles_of(manager) == {"manager", "viewer"}

    def test_a_forgotten_password_is_replaced(self, client: Client) -> None:
        anna = make_user("anna")
        annas = logged_in(anna)

        page = client.post(reverse("reset-password", args=[anna.pk]))

        anna.refresh_from_db()
        assert anna.check_password(page.context["password"])
        assert annas.get("/account/").status_code == 302, "whoever had the old one is out"

    def test_only_a_superuser_touches_a_superuser(self, client: Client) -> None:
        root, other = (User.objects.create_superuser(name) for name in ("root", "other"))
        before = root.password

        assert client.post(change_page(root), {"roles": []}).status_code == 403
        assert client.post(reverse("reset-password", args=[root.pk])).status_code == 403
        root.refresh_from_db()
        assert (root.is_active, root.password) == (True, before)
        assert logged_in(other).get(change_page(root)).status_code == 200


class TestDoors:
    @pytest.mark.parametrize("role", ["viewer", "transcriber", "editor", "enroller"])
    def test_roles_are_given_by_managers_alone(self, role: str, manager: User) -> None:
        client = logged_in(make_user("anna", role))

        for address in ("/accounts/", "/accounts/new/", change_page(manager)):
            assert client.get(address).status_code == 403
            assert client.post(address, {"username": "x", "roles": ticked("editor")}).status_code == 403
        assert client.post(reverse("reset-password", args=[manager.pk])).status_code == 403
        assert User.objects.count() == 2
        assert roles_of(manager) == {"manager"}

    def test_a_manager_reads_no_meeting_by_that(self, client: Client) -> None:
        assert client.get("/people/").status_code == 403
        assert client.get("/record/").status_code == 403


def test_every_role_is_put_in_words() -> None:
    assert roles.IN_WORDS.keys() == roles.ROLES.keys()
