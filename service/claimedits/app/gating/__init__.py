"""The gate: whether an update of rules may go live, by a policy that people write (``claim-edits gate``)."""

from claimedits.app.gating.policy import Policy, PolicyError, read_policy
from claimedits.app.gating.report import GateReport, Step, Verdict
from claimedits.app.gating.running import GateOptions, run_gate

__all__ = ["GateOptions", "GateReport", "Policy", "PolicyError", "Step", "Verdict", "read_policy", "run_gate"]
