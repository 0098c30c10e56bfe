"""``exchange export``: what people who run the exchange see of outbound files, and start by hand."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from partner_exchange import clock
from partner_exchange.cli.exports import export_app
from partner_exchange.ledger import audit, delivery_answers
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.delivery_answers import Received, Verdict
from partner_exchange.tenants import registry
from support.mailbox import Mailbox
from support.nhsn import a_hospital
from support.outbound import CODE, NOON, TENANT_YAML, Outbound
from support.sshd import Sshd, sshd

pytestmark = pytest.mark.service

OPERATIONS = "operations@exchange.example"
REFUSING = (
    "    target: {name_taken: refuse}\n    file_name: verified.csv\n    delivered_mail: [desk@uni.example]\n"
)


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A real SMTP server that the exchange sends to."""
    with Mailbox() as found:
        monkeypatch.setenv("EXCHANGE_SMTP_HOST", found.host)
        monkeypatch.setenv("EXCHANGE_SMTP_PORT", str(found.port))
        monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", OPERATIONS)
        yield found


@pytest.fixture
def uni(outbound: Outbound, mailbox: Mailbox) -> Outbound:
    """The tenant with three verified students; its home is the one behind this machine's gateway."""
    outbound.write_tenant(REFUSING)
    outbound.verify(*outbound.enroll(3), at=NOON)
    return outbound


@pytest.fixture
def partner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the tenant, for what asks no database; whoever asks one fails."""
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "exchange"))
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(tmp_path))
    monkeypatch.setenv("EXCHANGE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    path = tmp_path / f"{CODE}.yaml"
    path.write_text(TENANT_YAML.format(more=""))
    return path


def outbox(uni: Outbound) -> Path:
    return uni.folder / "exchange" / "homes" / CODE / "outbound"


def export(*arguments: str, code: int = 0, answers: str = "") -> Result:
    result = CliRunner().invoke(export_app, list(arguments), input=answers)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def words(text: str) -> str:
    """What a refused option says, without the frame around it."""
    return " ".join(text.replace("│", " ").split())


def result_is_quiet(result: Result) -> bool:
    return " INFO " not in result.stderr


def run_verified(code: int = 0) -> Result:
    return export("run", "--tenant", CODE, "verified", code=code)


def the_delivery(uni: Outbound) -> ledger.Delivery:
    return uni.deliveries()[-1]


def a_dead_letter(uni: Outbound) -> ledger.Delivery:
    """A delivery whose name is taken at the target."""
    outbox(uni).mkdir(parents=True)
    (outbox(uni) / "verified.csv").write_text("somebody else's")
    said = run_verified(code=1).stderr
    assert "verified.csv" in said
    assert "Traceback" not in said
    return the_delivery(uni)


def test_M67_an_export_is_run_by_hand_into_the_home_here(uni: Outbound, mailbox: Mailbox) -> None:
    said = run_verified().stdout
    delivery = the_delivery(uni)
    assert said == (
        f"{delivery.delivery_id}: delivered, 3 rows, {delivery.size_bytes} bytes, as verified.csv\n"
    )
    assert (outbox(uni) / "verified.csv").read_text().splitlines() == [
        "Username,StudentId,VerifyDate",
        *(f"student{n}@example.edu,S0000000{n},11/20/2026" for n in (1, 2, 3)),
    ]
    assert [mail["To"] for mail in mailbox.mails] == ["desk@uni.example"]
    assert result_is_quiet(run_verified())
    assert run_verified().stdout == "verified: nothing is new, so no file goes.\n"
    assert json.loads(export("run", "-t", CODE, "verified", "--json").stdout) is None


def test_M44_the_list_has_schedule_next_run_and_how_far_each_export_has_come(uni: Outbound) -> None:
    with clock.frozen(datetime(2026, 11, 20, 12, 1, tzinfo=UTC)):
        (line,) = json.loads(export("list", "--tenant", CODE, "--json").stdout)
        assert (line["export"], line["schedule"], line["state"]) == ("verified", "*/5 * * * *", "")
        assert line["next_run_at"] == "2026-11-20T06:05:00-06:00"
        run_verified()
        (line,) = json.loads(export("list", "--json").stdout)
        assert (line["state"], line["rows"], line["position"]) == ("delivered", 3, 3)
        assert line["delivered_at"] == "2026-11-20T12:01:00+00:00"
        shown = export("list").stdout
    assert "2026-11-20 06:05-06:00" in shown
    assert "change 3" in shown


def test_E38_sets_for_nhsn_that_are_sent_are_listed_too(uni: Outbound) -> None:
    def listed(status: dict[str, Any]) -> list[dict[str, Any]]:
        mercy = {"name": "Mercy", "feed": "status", "status": status}
        (uni.folder / "tenants" / "mercy.yaml").write_text(json.dumps(mercy))
        found: list[dict[str, Any]] = json.loads(export("list", "-t", "mercy", "--json").stdout)
        return found

    target = {"kind": "home", "folder": "nhsn"}
    both = [a_hospital(1), a_hospital(2, frequency="weekly")]
    lines = listed({"nhsn_target": target, "resources": both})
    assert [(one["export"], one["schedule"], one["cron"]) for one in lines] == [
        ("nhsn_daily", "every day at 16:30", "30 16 * * *"),
        ("nhsn_weekly", "Tuesdays at 16:30", "30 16 * * TUE"),
    ]
    assert all(one["zone"] == "America/New_York" for one in lines)
    # Only what a hospital asks for goes, and so has a DAG.
    assert [one["export"] for one in listed({"nhsn_target": target, "resources": both[1:]})] == [
        "nhsn_weekly"
    ]
    assert listed({"nhsn_target": target}) == []
    assert listed({"resources": both}) == []


def test_X10_a_dead_letter_is_told_with_what_to_do_and_sent_again(uni: Outbound, mailbox: Mailbox) -> None:
    dead = a_dead_letter(uni)
    assert {mail["To"] for mail in mailbox.mails} == {"it@uni.example", OPERATIONS}
    assert "1 dead letter waits for a person" in export("list").stdout
    said = run_verified(code=1).stderr
    assert f"`exchange export resend {dead.delivery_id}`" in said
    shown = export("show", dead.delivery_id).stdout
    assert "target-name-taken" in shown
    assert f"exchange export resend {dead.delivery_id}" in shown
    export("resend", dead.delivery_id, code=1)
    (outbox(uni) / "verified.csv").unlink()
    assert "delivered, 3 rows" in export("resend", dead.delivery_id, "--by", "ada").stdout
    assert len(uni.deliveries()) == 1
    with transaction() as connection:
        found = audit.entries(connection, CODE)
    assert [one.actor for one in found if one.action == "delivery.resend"][0] == "ada"


def test_X09_a_dry_run_says_what_would_go_where_and_changes_nothing(uni: Outbound) -> None:
    dead = a_dead_letter(uni)
    told = json.loads(export("resend", dead.delivery_id, "--dry-run", "--json").stdout)
    assert (told["file"], told["rows"], told["sha256"]) == ("verified.csv", 3, dead.sha256)
    assert told["there now"].startswith("verified.csv with 15 bytes, and what an earlier try left, ")
    assert told["would"] == "A file of that name is there: so nothing would be delivered."
    (outbox(uni) / "verified.csv").unlink()
    said = export("resend", dead.delivery_id, "--dry-run").stdout
    assert "It would be put there as verified.csv. Nothing was changed." in said
    assert the_delivery(uni) == dead
    assert [one.name for one in outbox(uni).iterdir()] == [dead.temporary_name]


def test_X09_a_delivered_file_goes_a_second_time_only_when_asked_for(uni: Outbound) -> None:
    run_verified()
    delivery = the_delivery(uni)
    said = export("resend", delivery.delivery_id, code=2).stderr
    assert "--again" in said
    assert "only with --again" in export("resend", delivery.delivery_id, "--dry-run").stdout
    (outbox(uni) / "verified.csv").unlink()
    sent = json.loads(export("resend", delivery.delivery_id, "--again", "--json").stdout)
    assert (sent["state"], datetime.fromisoformat(sent["opened_at"])) == ("delivered", delivery.opened_at)
    assert [one.name for one in outbox(uni).iterdir()] == ["verified.csv"]
    assert the_delivery(uni) == delivery


def test_X10_a_delivery_is_given_up_and_its_changes_go_with_the_next(uni: Outbound) -> None:
    dead = a_dead_letter(uni)
    given_up = json.loads(export("abandon", dead.delivery_id, "--json").stdout)
    assert (given_up["state"], given_up["delivery_id"]) == ("abandoned", dead.delivery_id)
    assert "state-conflict" not in export("abandon", dead.delivery_id, code=2).stdout
    (outbox(uni) / "verified.csv").unlink()
    assert "delivered, 3 rows" in run_verified().stdout


def test_X09_one_delivery_is_shown_with_the_place_of_its_file(uni: Outbound) -> None:
    run_verified()
    delivery = the_delivery(uni)
    shown = json.loads(export("show", delivery.delivery_id, "--read-back", "--json").stdout)
    assert Path(shown["archive_address"]).read_bytes() == (outbox(uni) / "verified.csv").read_bytes()
    assert shown["rows_read"] == 3
    assert "student1@" not in export("show", delivery.delivery_id).stdout
    uni.write_tenant(REFUSING + "    when_empty: daily\n")
    said = export("show", delivery.delivery_id, "--read-back", code=2).stderr
    assert "changed in the partner file since" in words(said)


def test_X09_deliveries_are_listed_by_partner_export_and_state(uni: Outbound) -> None:
    run_verified()
    uni.verify(*uni.enroll(4)[3:])
    run_verified(code=1)
    found = json.loads(export("deliveries", "-t", CODE, "-e", "verified", "--json").stdout)
    assert [one["state"] for one in found] == ["dead", "delivered"]
    (dead,) = json.loads(export("deliveries", "--state", "dead", "--json").stdout)
    assert dead["fault_code"] == "target-name-taken"
    assert json.loads(export("deliveries", "-e", "other", "--json").stdout) == []
    assert export("deliveries", "--limit", "1").stdout.count(CODE) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "-t", CODE, "verify"], "Did you mean 'verified'"),
        (["run", "-t", "state-universe", "verified"], "Did you mean 'state-university'"),
        (["run", "-t", CODE], "name an export of the partner file, or a report"),
        (["run", "-t", CODE, "verified", "--report", "on_campus"], "not both"),
        (["run", "-t", CODE, "verified", "--param", "days=3"], "belong to --report"),
        (["run", "-t", CODE, "--report", "verified_student"], "Did you mean 'verified_students'"),
        (["run", "-t", CODE, "--report", "statuses_now"], "is for the feed status"),
        (["run", "-t", CODE, "--report", "new_students", "--param", "day=3"], "Did you mean 'days'"),
        (["run", "-t", CODE, "--report", "new_students", "--param", "days=x"], "whole number"),
        (["run", "-t", CODE, "--report", "new_students", "--param", "days"], "NAME=VALUE"),
        (["run", "-t", CODE, "--report", "new_students", "--column", "user"], "has no column 'user'"),
        (
            ["run", "-t", CODE, "--report", "on_campus", "--out", "/no/such/folder/x"],
            "in a folder that is there",
        ),
        (["run", "-t", CODE, "--report", "on_campus", "--out", "-", "--json"], "goes into a file"),
        (["describe", "on_camp"], "Did you mean 'on_campus'"),
        (["describe", "rooster"], "Did you mean 'student_roster'"),
        (["answers", "--collect"], "needs --tenant"),
        (["probe", "verified"], "name --tenant and an export, or --connection and --folder"),
        (["probe", "--connection", "partner"], "name --tenant and an export"),
        (["request", "-t", CODE, " "], "say it in words"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_M73_what_cannot_be_asked_so_is_told_with_the_nearest_that_can(
    partner: Path, arguments: list[str], told: str
) -> None:
    assert told in words(export(*arguments, code=2).stderr)


@pytest.mark.parametrize("command", [["show"], ["resend", "--dry-run"], ["resend"], ["abandon"]])
def test_X09_a_delivery_that_is_not_there_is_told(uni: Outbound, command: list[str]) -> None:
    said = export(*command, "01X", code=2).stderr
    assert "No delivery '01X'; `exchange export deliveries` shows them." in said


@pytest.mark.parametrize("kind", ["csv", "tsv", "pipe", "fixed", "jsonl", "xml", "xlsx"])
def test_M64_any_report_is_written_in_any_form_and_nothing_is_recorded(uni: Outbound, kind: str) -> None:
    file = uni.folder / f"report.{kind}"
    file.write_text("of yesterday")
    report = ["--report", "student_roster", "-c", "username", "-c", "term"]
    told = export("run", "-t", CODE, *report, "--format", kind, "--out", str(file), "--json").stdout
    assert json.loads(told) == {"report": "student_roster", "rows": 3, "file": str(file)}
    content = file.read_bytes()
    assert content[:2] == b"PK" if kind == "xlsx" else content.count(b"@example.edu") == 3
    assert b"Last1" not in content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in uni.folder.iterdir() if one.name.startswith(".")] == []
    assert uni.deliveries() == []


@pytest.mark.parametrize(("days", "students"), [("30", 0), ("60", 3)])
def test_M63_a_report_is_printed_with_its_parameters(uni: Outbound, days: str, students: int) -> None:
    with clock.frozen(NOON + timedelta(days=40)):
        printed = export("run", "-t", CODE, "-r", "new_students", "-p", f"days={days}", "--out", "-")
    lines = printed.stdout_bytes.splitlines()
    assert lines[0].startswith(b"Username,")
    assert len(lines) == 1 + students


def test_M64_a_report_without_a_name_is_written_beside_and_a_broken_one_leaves_nothing(
    uni: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = uni.folder / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with clock.frozen(NOON):
        export("run", "-t", CODE, "-r", "verified_students")
    assert [one.name for one in folder.iterdir()] == ["verified_students-20261120T120000Z.csv"]
    uni.enroll(1, username="x" * 300 + "@example.edu", student_id="S99999999")
    said = export("run", "-t", CODE, "-r", "student_roster", "-f", "fixed", "-o", "wide.txt", code=1).stderr
    assert "Username" in said
    assert "xxx" not in said
    assert "the file was not made" in said
    assert "--too-long cut" in said
    assert [one.name for one in folder.iterdir()] == ["verified_students-20261120T120000Z.csv"]


def test_M73_a_report_by_hand_may_cut_what_is_too_long(uni: Outbound) -> None:
    uni.enroll(1, username="x" * 300 + "@example.edu", student_id="S99999999")
    fixed = ("run", "-t", CODE, "-r", "student_roster", "-c", "username", "-f", "fixed", "--out", "-")
    lines = export(*fixed, "--too-long", "cut").stdout.splitlines()
    assert {len(one) for one in lines} == {50}
    assert "x" * 50 in lines
    said = export(*fixed[:-4], "-f", "csv", "--too-long", "cut", code=2).stderr
    assert "belongs to --format fixed and xlsx" in words(said)


def test_M63_the_catalogue_and_a_report_are_described() -> None:
    names = {one["name"] for one in json.loads(export("reports", "--json").stdout)}
    assert len(names) >= 18
    status = export("reports", "--feed", "status").stdout
    assert "overdue_statuses" in status
    assert "verified_students" not in status
    told = export("describe", "verified_students").stdout
    assert "VerifyDate" in told
    assert "from the log of changes" in told
    document = json.loads(export("describe", "new_students", "--json").stdout)
    assert "days" in {one["name"] for one in document["parameters"]}
    assert document["delta"] == "by comparison"


def test_X11_answers_are_shown_with_what_they_answer_and_those_that_fit_none(uni: Outbound) -> None:
    run_verified()
    delivery = the_delivery(uni)
    with transaction() as connection:
        for name, whose in (("verified.csv.nack", delivery.delivery_id), ("other.csv.ack", None)):
            verdict = Verdict.REFUSED if whose else Verdict.ACCEPTED
            comment = "row 2 is [odd]" if whose else ""
            received = Received(CODE, "inbound", name, "0" * 64, NOON, verdict, comment, whose)
            delivery_answers.record(connection, received)
        ledger.record_answer(connection, delivery.delivery_id, is_accepted=False)
    assert len(json.loads(export("answers", "-t", CODE, "--json").stdout)) == 2
    (lost,) = json.loads(export("answers", "--unmatched", "--json").stdout)
    assert (lost["file_name"], lost["delivery_id"]) == ("other.csv.ack", None)
    assert "none has this name" in export("answers").stdout
    shown = export("show", delivery.delivery_id).stdout
    assert "row 2 is [odd]" in shown
    assert "other.csv.ack" not in shown
    assert "--again" in shown


def test_X11_answers_are_collected_by_hand(uni: Outbound) -> None:
    uni.write_tenant("    file_name: verified.csv\n    target: {answers: {}}\n")
    run_verified()
    inbox = uni.folder / "exchange" / "homes" / CODE / "inbound"
    (inbox / "verified.csv.ack").touch()
    (answer,) = json.loads(export("answers", "-t", CODE, "--collect", "--json").stdout)
    assert (answer["verdict"], answer["delivery_id"]) == ("accepted", the_delivery(uni).delivery_id)
    assert the_delivery(uni).state == "confirmed"


def test_M66_a_missing_report_is_asked_for_with_its_filters_and_answered(
    uni: Outbound, mailbox: Mailbox
) -> None:
    wanted = "Verified students by residence hall"
    more = ["--like", "on_campus", "--param", "hall=Canary Hall", "--by", "ada", "--json"]
    asked = json.loads(export("request", "-t", CODE, wanted, *more).stdout)
    assert (asked["wanted"], asked["parameters"]) == (wanted, {"hall": "Canary Hall"})
    (mail,) = mailbox.mails
    assert (mail["To"], mail["X-Exchange-Request"]) == (OPERATIONS, asked["request_id"])
    assert "Canary" not in mail.as_string()
    assert json.loads(export("requests", "-t", CODE, "--json").stdout) == [asked]
    assert "hall=Canary Hall" in export("requests").stdout
    assert "answered" in export("answer-request", asked["request_id"], "Comes with version 2").stdout
    assert json.loads(export("requests", "--json").stdout) == []
    (closed,) = json.loads(export("requests", "--all", "--json").stdout)
    assert closed["answer"] == "Comes with version 2"
    export("answer-request", "01X", "no", code=2)
    assert "was answered at" in export("answer-request", asked["request_id"], "no", code=2).stderr


def test_M66_without_a_mail_address_of_ours_the_request_is_kept_all_the_same(
    uni: Outbound, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXCHANGE_OPERATIONS_MAIL")
    assert "EXCHANGE_OPERATIONS_MAIL names nobody" in export("request", "-t", CODE, "more").stdout
    assert mailbox.mails == []
    assert len(json.loads(export("requests", "--json").stdout)) == 1


@pytest.mark.parametrize(
    ("command", "metavar"),
    [
        ("describe", "REPORT"),
        ("run", "EXPORT"),
        ("probe", "EXPORT"),
        ("show", "DELIVERY"),
        ("request", "WANTED"),
    ],
)
def test_M43_what_commands_take_is_written_alike(command: str, metavar: str) -> None:
    usage = export(command, "--help").stdout
    assert re.search(rf"OPTIONS\] [\[{{]{metavar}[\]}}]", usage)


def test_M72_questions_lead_to_lines_that_hold_in_the_partner_file(partner: Path) -> None:
    answers = "elsewhere\nserver\npartner_sftp\n/data/in\nverified_student\nverified_students\n"
    answers += "username, student\nusername, last_name\ndelta\nhtml\npipe\nsometimes\nweekdays at 7:30\n"
    answers += "verified\nto_their_server\n"
    said = export("new", "--tenant", CODE, answers=answers)
    assert said.stdout.startswith("exports:\n  to_their_server:\n    report: ")
    lines = yaml.safe_load(said.stdout)
    assert "Enter alone takes [username, student_id, verify_date]: " in said.stderr
    assert "all but the first one" in said.stderr
    assert lines == {
        "exports": {
            "to_their_server": {
                "report": "verified_students",
                "columns": ["username", "last_name"],
                "content": "delta",
                "format": {"kind": "pipe"},
                "schedule": "weekdays at 7:30",
                "target": {"kind": "server", "connection": "partner_sftp", "folder": "/data/in"},
            }
        }
    }
    for told in ("one of home, server", "Did you mean 'verified_students'", "one of csv, tsv"):
        assert told in said.stderr
    assert "(America/Chicago)" in said.stderr
    tenant = yaml.safe_load(partner.read_text())
    tenant["exports"] |= lines["exports"]
    partner.write_text(yaml.safe_dump(tenant))
    assert set(registry.load_one(CODE).exports) == {"verified", "to_their_server"}


def test_M72_each_question_is_an_option_too(partner: Path) -> None:
    said = export("new", "-t", CODE, "-y", "-r", "new_students", "-p", "days=7", "--schedule", "hourly")
    assert yaml.safe_load(said.stdout) == {
        "exports": {
            "new_students": {"report": "new_students", "parameters": {"days": "7"}, "schedule": "hourly"}
        }
    }
    assert yaml.safe_load(export("new", "-t", CODE, "-y", "-r", "on_campus").stdout) == {
        "exports": {"on_campus": {"report": "on_campus"}}
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "is needed"),
        (["-r", "on_campus", "--target", "server"], "is needed"),
        (["-r", "on_campus", "--connection", "x"], "belongs to --target server"),
        (["-r", "on_campus", "--schedule", "now and then"], "--schedule"),
        (["-r", "on_campus", "--name", "On Campus"], "lower-case letters"),
        (["-r", "on_campus", "--name", "nhsn_daily"], "nhsn_ is taken"),
        (["-r", "verified_students", "--name", "verified"], "has an export verified already"),
        (["-r", "on_campus", "--target", "home", "--folder", "../x"], "`..` is none"),
        (["-r", "new_students", "-p", "days=soon"], "whole number"),
        (["-r", "deliveries", "--content", "some"], "one of full, delta"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_M72_options_that_do_not_hold_are_named(partner: Path, options: list[str], told: str) -> None:
    assert told in words(export("new", "-t", CODE, "-y", *options, code=2).stderr)


def test_M71_the_home_here_is_probed_and_nothing_stays_there(uni: Outbound) -> None:
    steps = json.loads(export("probe", "-t", CODE, "verified", "--json").stdout)
    assert all(step["is_ok"] for step in steps)
    assert {"login", "folder", "write", "read back", "rename", "remove"} <= {step["name"] for step in steps}
    assert list(outbox(uni).iterdir()) == []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    """A partner's own server."""
    with sshd(tmp_path / "sshd") as found:
        yield found


def exchange(
    uni: Outbound, server: Sshd, *arguments: str, host_key: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own: Airflow reads its settings once per process."""
    connection = server.connection()
    connection["extra"]["host_key"] = host_key or server.host_key
    return subprocess.run(
        [sys.executable, "-m", "partner_exchange.cli", "export", *arguments],
        env={**os.environ, "AIRFLOW_CONN_PARTNER_SFTP": json.dumps(connection)},
        cwd=uni.folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_M70_a_partners_own_server_is_probed_and_served_from_the_command_line(
    uni: Outbound, server: Sshd, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    target = f"{{kind: server, connection: partner_sftp, folder: {theirs}}}"
    uni.write_tenant(f"    target: {target}\n    file_name: verified.csv\n")
    probed = exchange(uni, server, "probe", "--tenant", CODE, "verified")
    assert probed.returncode == 0, probed.stdout + probed.stderr
    assert "FAIL" not in probed.stdout
    assert list(theirs.iterdir()) == []
    ran = exchange(uni, server, "run", "--tenant", CODE, "verified", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["state"] == "delivered"
    assert (theirs / "verified.csv").read_bytes().count(b"@example.edu") == 3


@pytest.mark.slow
def test_M70_a_changed_host_key_is_exit_one_with_a_sentence_and_no_secret(
    uni: Outbound, server: Sshd, tmp_path: Path
) -> None:
    target = f"{{kind: server, connection: partner_sftp, folder: {tmp_path}}}"
    uni.write_tenant(f"    target: {target}\n")
    pinned = server.host_key
    server.change_host_key()
    probed = exchange(uni, server, "probe", "--connection", "partner_sftp", "--folder", "/", host_key=pinned)
    assert probed.returncode == 1
    assert "FAIL  host key" in probed.stdout
    assert "target-host-key-changed" in probed.stdout
    ran = exchange(uni, server, "run", "--tenant", CODE, "verified", host_key=pinned)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("exchange: Nothing can be delivered")
    for secret in (pinned.split()[1], str(server.key_file), "student1@"):
        assert secret not in probed.stdout + probed.stderr + ran.stdout + ran.stderr
    assert the_delivery(uni).state == "dead"
