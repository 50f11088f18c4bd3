"""Claim edits on Spark: ``evaluate_dataframe`` for data frames of claim lines (docs/spark.md). Needs the extra ``spark``."""

from __future__ import annotations

from claimedits.app.spark.bundle import pack_release
from claimedits.app.spark.dataframes import evaluate_dataframe, select_part
from claimedits.app.spark.worker import OUTPUTS

__all__ = ["OUTPUTS", "evaluate_dataframe", "pack_release", "select_part"]
