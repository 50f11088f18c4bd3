"""ClaimEditService, tables: Arrow IPC streams of claim lines in, of findings out, message by message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from claimedits.app.engine_host import EngineHost
from claimedits.app.table_messages import TableUnreadableError, TooManyRowsError, read_table, write_findings
from claimedits.engine.columnar.finding_columns import FindingsTooLargeError
from claimedits.engine.columnar.table import TableEvaluator, TableFindings, join_parts
from claimedits.model.claim_reading import ClaimLimits
from claimedits.model.line_table import TableInvalidError
from claimedits.model.problems import ClaimInvalidError, Problem
from claimedits.server.calls import Call, status_of
from claimedits.server.errors import LimitError, RequestError
from claimedits.server.requests import read_options
from claimedits.server.settings import ServerSettings
from claimedits.v1 import claim_edit_service_pb2 as pb

_OPTIONS = ("release", "as_of", "families")


class TableHandlers:
    """StreamEvaluateTable. One instance a worker, shared by its threads; what is remembered belongs to one stream."""

    def __init__(self, host: EngineHost, settings: ServerSettings) -> None:
        self._host = host
        self._most_rows = settings.rows_per_table
        self._most_bytes = settings.answer_bytes
        self._limits = ClaimLimits(settings.lines_per_claim, settings.history_lines_per_claim)

    def StreamEvaluateTable(  # noqa: N802
        self, requests: Iterable[pb.StreamEvaluateTableRequest], call: Call
    ) -> Iterator[pb.StreamEvaluateTableResponse]:
        """Messages in, messages out, in order; nothing is read ahead, so a slow reader slows the sender."""
        evaluator: TableEvaluator | None = None
        first: pb.StreamEvaluateTableRequest | None = None
        for request in requests:
            options = pb.StreamEvaluateTableRequest(
                release=request.release, as_of=request.as_of, families=request.families
            )
            if evaluator is None or first is None:
                first, evaluator = options, self._open(request, call)
            elif options != first and options != pb.StreamEvaluateTableRequest():
                raise RequestError(
                    Problem(
                        name, "differs from the first message", "options hold for the whole stream; leave them empty"
                    )
                    for name in _OPTIONS
                    if getattr(options, name) != getattr(first, name)
                )
            yield self._answer(request.arrow_stream, evaluator, call)

    def _open(self, request: pb.StreamEvaluateTableRequest, call: Call) -> TableEvaluator:
        whole = pb.BatchEvaluateClaimsRequest(release=request.release, as_of=request.as_of, families=request.families)
        options = read_options(whole, self._host.engine)
        call.release = options.engine.release_id
        return TableEvaluator(
            options.engine, options.as_of, options.families, self._limits, call.has_left, self._most_bytes
        )

    def _answer(self, content: bytes, evaluator: TableEvaluator, call: Call) -> pb.StreamEvaluateTableResponse:
        answer = self._evaluate(content, evaluator)
        call.count_table(answer.claims, answer.lines, answer.findings.num_rows)
        if answer.findings.nbytes > self._most_bytes:
            raise LimitError("answer_bytes", self._most_bytes, answer.findings.nbytes, "send fewer rows a message")
        response = pb.StreamEvaluateTableResponse(
            arrow_stream=write_findings(answer), lines=answer.lines, findings=answer.findings.num_rows
        )
        for claim_id, row, problems in _refused(answer):
            item = response.refused.add(claim_id=claim_id, row=row)
            item.status.CopyFrom(status_of(ClaimInvalidError(problems)))
        return response

    def _evaluate(self, content: bytes, evaluator: TableEvaluator) -> TableFindings:
        try:
            table = read_table(content, self._most_rows)
            parts = list(evaluator.evaluate_batches([table]))
        except (TableUnreadableError, TableInvalidError) as error:
            raise RequestError(
                Problem(f"arrow_stream.{problem.where}".removesuffix(".arrow_stream"), problem.what, problem.mend)
                for problem in error.problems
            ) from error
        except FindingsTooLargeError as error:
            raise LimitError("answer_bytes", self._most_bytes, error.bytes, "send fewer rows a message") from error
        except TooManyRowsError as error:
            raise LimitError("rows_per_table", self._most_rows, error.rows, "send fewer rows a message") from error
        return join_parts(parts) if parts else evaluator.nothing()


def _refused(answer: TableFindings) -> Iterator[tuple[str, int, list[Problem]]]:
    """Each refused claim once, with all that is wrong with it."""
    claims: dict[int, tuple[str, list[Problem]]] = {}
    for row in answer.refused.to_pylist():
        _, problems = claims.setdefault(row["row"], (row["claim_id"] or "", []))
        problems.append(Problem(row["where"], row["what"], row["mend"], row["code"]))
    for row, (claim_id, problems) in claims.items():
        yield claim_id, row, problems
