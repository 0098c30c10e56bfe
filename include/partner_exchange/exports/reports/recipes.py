"""The four uses that the sources name for what goes out, each as it stands in a tenant file (M61)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """One use."""

    title: str
    feed: str
    about: str
    yaml: str
    """A part of a tenant file."""


RECIPES = (
    Recipe(
        title="On-going report",
        feed="roster",
        about="The residence office looks every working day at who lives on campus and is not verified "
        "yet. It reads the list in a spreadsheet, so it is an XLSX with headers in plain words; a "
        "day without anybody in it brings a file as well, so that nobody wonders.",
        yaml="""\
time_zone: America/Chicago
exports:
  campus_open:
    about: Daily list of the residence office
    report: on_campus
    parameters: { verified: "no" }
    columns:
      - { column: last_name, header: Last name }
      - { column: first_name, header: First name }
      - { column: student_id, header: Student ID }
      - { column: term, header: Term }
    format: { kind: xlsx }
    file_name: "campus-{date}.{ending}"
    schedule: weekdays at 7:30
    when_empty: file
""",
    ),
    Recipe(
        title="Seasonal dump",
        feed="roster",
        about="Before the fall term everything is fetched once, as text with a bar between the values: a "
        "full roster with the verification beside each student. Without a schedule it goes by hand, "
        "with `exchange export run`, as often as it is asked for.",
        yaml="""\
exports:
  fall_roster:
    about: Whole roster of one term, on request
    report: student_roster
    parameters: { term: Fall 2026 }
    columns: [username, student_id, last_name, first_name, dob, requirement_group, term, is_verified]
    format: { kind: pipe, quoting: all, newline: lf, date_form: YYYY-MM-DD }
    file_name: "roster-fall-2026-{number}.txt"
""",
    ),
    Recipe(
        title="Yearly compliance",
        feed="roster",
        about="On October 15 the numbers for the annual immunization compliance report: per requirement "
        "group and term how many students are verified. The partner keeps one file per year, so the "
        "year is in its name through the date.",
        yaml="""\
time_zone: America/Chicago
exports:
  compliance:
    about: Annual compliance report
    report: compliance_by_group_and_term
    file_name: "compliance-{date}.{ending}"
    schedule: 0 6 15 10 *
    delivered_mail: [registrar@state.example]
""",
    ),
    Recipe(
        title="Real-time, every five minutes",
        feed="roster",
        about="The partner's own system lifts holds as soon as students are verified. Every five minutes "
        "the students that became verified since the last delivered file, each exactly once, in the "
        "default columns; when there is none, there is no file. The file goes to the partner's own "
        "server, and its answer is read back. What was taken back goes as a second export.",
        yaml="""\
exports:
  verified:
    about: Holds to lift
    report: verified_students
    content: delta
    schedule: every 5 minutes
    target:
      kind: server
      connection: state_university_server
      folder: /data/medical/in
      answers: { within_h: 24 }
  unverified:
    about: Holds to set again
    report: unverified_students
    content: delta
    schedule: every 5 minutes
    target: { kind: server, connection: state_university_server, folder: /data/medical/in }
""",
    ),
    Recipe(
        title="Beds every hour",
        feed="status",
        about="For a region's dashboard: the bed counts of all hospitals added up, without reports older "
        "than a day, and beside it what is overdue, one JSON object a line.",
        yaml="""\
exports:
  beds:
    report: bed_totals
    parameters: { not_older_than_h: 24 }
    format: { kind: jsonl }
    schedule: every hour
  overdue:
    report: overdue_statuses
    parameters: { never_reported: false }
    schedule: every hour
    when_empty: daily
""",
    ),
    Recipe(
        title="Doses of a month",
        feed="vxu",
        about="For a clinic's own records: on the 1st of each month how its doses and its data quality "
        "stand.",
        yaml="""\
exports:
  doses:
    report: doses_by_vaccine_and_age
    format: { kind: xlsx }
    schedule: on the 1st of each month at 02:00
  quality:
    report: dqa_trend
    parameters: { days: 365 }
    schedule: on the 1st of each month at 02:00
""",
    ),
)
