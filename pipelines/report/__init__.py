"""The report: one page of a build that explains itself, without a network."""

from pipelines.report.page import write_report, write_report_of

__all__ = ["write_report", "write_report_of"]
