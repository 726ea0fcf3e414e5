"""The chart for Kubernetes: linted and rendered by Helm, each object held against Kubernetes' own schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

from asrsite import __version__
from sessions_app.transport.addresses import SENTINEL_PORT
from tests.support.server import ROOT

CHART = ROOT / "deploy" / "chart" / "asrsite"
SETTINGS = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text()))

SECRETS = {
    "SECRET_KEY": "s" * 50,
    "VOICEPRINT_KEYS": "k" * 44,
    "DATABASE_URL": "postgres://asrsite:password@postgres.data/asrsite",
    "REDIS_URL": "redis://:password@redis.data:6379/0",
}
VERSIONS = ["1.28.0", "1.34.0"]

Object = dict[str, Any]


def rendered(values: Mapping[str, Any] | None = None) -> list[Object]:
    """All objects of a release, as Helm renders them."""
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render({"secrets": SECRETS, **(values or {})}, name="meetings", namespace="asr")
    return [each for text in files.values() for each in yaml.safe_load_all(text) if each]


def named(objects: list[Object], kind: str) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def pods(objects: list[Object]) -> dict[str, Object]:
    """The specification of each pod, by the name of what makes it."""
    found = {}
    for each in objects:
        name, spec = each["metadata"]["name"], each.get("spec", {})
        if each["kind"] in ("Deployment", "Job"):
            found[name] = spec["template"]["spec"]
        elif each["kind"] == "CronJob":
            found[name] = spec["jobTemplate"]["spec"]["template"]["spec"]
    return found


def containers(pod: Object) -> list[Object]:
    return [*pod["containers"], *pod.get("initContainers", [])]


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    return rendered()


EVERYTHING: Mapping[str, Any] = {
    "existingSecret": "ours",
    "image": {"digest": "sha256:" + "0" * 64},
    "storage": {"existingClaim": "recordings"},
    "recognize": {"autoscaling": {"enabled": True}, "nodeSelector": {"gpu": "yes"}},
    "networkPolicy": {"extraEgress": [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]},
}


def test_helm_finds_nothing_wrong_with_it() -> None:
    told = [each for each in helm.lint(str(CHART))["messages"] if "icon" not in each["error"]]
    assert told == []


def test_it_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == chart["version"] == __version__


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["by default", "with everything"])
def test_kubernetes_knows_every_word_of_every_object(values: Mapping[str, Any], version: str) -> None:
    found = rendered(values)
    assert len(found) > 10
    for each in found:
        kubernetes_validate.validate(each, version, strict=True)


def test_what_must_be_set_is_asked_for() -> None:
    with pytest.raises(helm.HelmError, match=r"secrets\.DATABASE_URL must be set, or existingSecret"):
        rendered({"secrets": {**SECRETS, "DATABASE_URL": ""}})


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"web": {"replcas": 3}}, "replcas"),
        ({"web": {"replicas": 0}}, "replicas"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"settings": {"DEMO": 1}}, "DEMO"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(values: Mapping[str, Any], complaint: str) -> None:
    with pytest.raises(helm.HelmError, match=complaint):
        rendered(values)


def test_settings_are_those_that_there_are(objects: list[Object]) -> None:
    assert set(named(objects, "ConfigMap")["meetings"]["data"]) - {"HOME"} <= SETTINGS
    assert set(named(objects, "Secret")["meetings"]["stringData"]) <= SETTINGS


class TestPods:
    def test_may_do_no_more_than_they_must(self, objects: list[Object]) -> None:
        assert set(pods(objects)) == {
            *("meetings-web", "meetings-recognize", "meetings-prepare-1", "meetings-prune")
        }
        for name, pod in pods(objects).items():
            security = pod["securityContext"]
            assert security["runAsNonRoot"] is True and security["runAsUser"] > 0, name
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
            assert pod["automountServiceAccountToken"] is False, name
            for container in containers(pod):
                held = container["securityContext"]
                assert held["allowPrivilegeEscalation"] is False, name
                assert held["readOnlyRootFilesystem"] is True, name
                assert held["capabilities"] == {"drop": ["ALL"]}, name
                assert container["resources"]["limits"]["memory"], name

    def test_run_commands_that_there_are_when_the_database_is_ready(self, objects: list[Object]) -> None:
        found = pods(objects)
        assert {pod["containers"][0]["args"][0] for pod in found.values()} == {
            *("serve", "recognize", "prepare", "prune")
        }
        for name in ("meetings-web", "meetings-recognize"):
            assert found[name]["initContainers"][0]["args"] == ["migrate", "--check"]

    def test_are_asked_whether_they_live_and_have_the_time_to_stop_in_order(
        self, objects: list[Object]
    ) -> None:
        for name in ("meetings-web", "meetings-recognize"):
            pod = pods(objects)[name]
            [container] = pod["containers"]
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert container[probe]["httpGet"]["port"] in ports
            assert pod["terminationGracePeriodSeconds"] >= 30

    def test_keep_secrets_in_the_secret(self, objects: list[Object]) -> None:
        others = [each for each in objects if each["kind"] != "Secret"]
        text = yaml.safe_dump_all(others)
        assert [name for name, value in SECRETS.items() if value in text] == []

    def test_begin_anew_when_a_setting_changes(self, objects: list[Object]) -> None:
        def sums(found: list[Object]) -> Any:
            return named(found, "Deployment")["meetings-web"]["spec"]["template"]["metadata"]["annotations"]

        assert sums(rendered({"settings": {"ASR_MODELS": "embedded"}})) != sums(objects) == sums(rendered())

    def test_take_the_image_by_its_digest_where_one_is_given(self) -> None:
        found = {each["image"] for pod in pods(rendered(EVERYTHING)).values() for each in containers(pod)}
        assert found == {"asrsite@sha256:" + "0" * 64}


def test_one_pod_of_each_kind_may_be_away_at_a_time(objects: list[Object]) -> None:
    budgets = named(objects, "PodDisruptionBudget")
    assert {name: each["spec"]["maxUnavailable"] for name, each in budgets.items()} == {
        "meetings-web": 1, "meetings-recognize": 1,
    }  # fmt: skip
    for name, budget in budgets.items():
        labels = named(objects, "Deployment")[name]["spec"]["template"]["metadata"]["labels"]
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_load_decides_how_many_recognise_where_that_is_wanted(objects: list[Object]) -> None:
    assert named(objects, "HorizontalPodAutoscaler") == {}
    found = rendered(EVERYTHING)
    [scaler] = named(found, "HorizontalPodAutoscaler").values()
    assert scaler["spec"]["scaleTargetRef"]["name"] == "meetings-recognize"
    assert scaler["spec"]["metrics"][0]["external"]["metric"]["name"] == "asr_load_percent"
    assert "replicas" not in named(found, "Deployment")["meetings-recognize"]["spec"]
    assert named(objects, "Deployment")["meetings-recognize"]["spec"]["replicas"] == 2


class TestNetwork:
    def test_every_pod_of_ours_is_closed_but_to_those_who_are_named(self, objects: list[Object]) -> None:
        policies = named(objects, "NetworkPolicy")
        everyone = policies["meetings"]["spec"]
        assert everyone["policyTypes"] == ["Ingress", "Egress"] and "ingress" not in everyone
        for deployment in named(objects, "Deployment").values():
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            assert everyone["podSelector"]["matchLabels"].items() <= labels.items()
        [rule] = policies["meetings-web"]["spec"]["ingress"]
        assert [each["namespaceSelector"]["matchLabels"] for each in rule["from"]] == [
            {"kubernetes.io/metadata.name": name} for name in ("ingress-nginx", "monitoring")
        ]
        [workers] = policies["meetings-recognize"]["spec"]["ingress"]
        assert workers["ports"] == [{"protocol": "TCP", "port": 9100, "endPort": 9101}]  # one for each worker

    def test_only_what_fetches_the_weights_reaches_the_world(self, objects: list[Object]) -> None:
        open_ones = [
            name
            for name, policy in named(objects, "NetworkPolicy").items()
            if any("to" not in rule for rule in policy["spec"].get("egress", []))
        ]
        assert open_ones == ["meetings-prepare"]
        closed = rendered({"networkPolicy": {"mayFetchWeights": False}})
        assert "meetings-prepare" not in named(closed, "NetworkPolicy")

    def test_ours_reach_redis_its_sentinels_and_the_database(self, objects: list[Object]) -> None:
        _, data = named(objects, "NetworkPolicy")["meetings"]["spec"]["egress"]
        assert data["to"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "data"}}}]
        assert [each["port"] for each in data["ports"]] == [6379, SENTINEL_PORT, 5432]

    def test_the_service_leads_to_the_web_pods(self, objects: list[Object]) -> None:
        service = named(objects, "Service")["meetings"]["spec"]
        pod = named(objects, "Deployment")["meetings-web"]["spec"]["template"]
        assert service["selector"].items() <= pod["metadata"]["labels"].items()
        assert service["ports"][0]["targetPort"] in {
            port["name"] for port in pod["spec"]["containers"][0]["ports"]
        }
