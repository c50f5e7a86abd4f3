"""A client built over `requests` reaches an emulator in process and sees its answers and its faults."""

from __future__ import annotations

import pytest
import requests

from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Request, Response, json_response


def session(fault: str = "") -> requests.Session:
    def handle(request: Request) -> Response:
        found = json_response(
            200,
            {
                "method": request.method,
                "path": request.path,
                "q": request.first("q"),
                "body": request.body.decode(),
            },
        )
        return Response(found.status, found.headers, found.body, fault=fault)

    made = requests.Session()
    made.mount("http://", HandlerAdapter(handle))
    return made


def test_method_path_query_and_body_arrive_decoded() -> None:
    answer = session().post("http://jira.invalid/rest?q=a%20b", data="x=1")
    assert answer.json() == {
        "method": "POST",
        "path": "/rest",
        "q": "a b",
        "body": "x=1",
    }


def test_the_body_can_be_read_from_the_connection() -> None:
    answer = session().get("http://jira.invalid/rest", stream=True)
    assert answer.raw.read(12) == b'{"method":"G'
    assert int(answer.headers["Content-Length"]) > 12


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", requests.ConnectionError),
        ("hang", requests.ReadTimeout),
        ("drip", requests.ReadTimeout),
    ],
)
def test_faults_are_raised_as_a_client_would_see_them(
    fault: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        session(fault).get("http://jira.invalid/rest")


def test_a_truncated_body_is_shorter_than_announced() -> None:
    answer = session("truncate").get("http://jira.invalid/rest")
    assert len(answer.content) < int(answer.headers["Content-Length"])
