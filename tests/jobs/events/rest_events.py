"""Events and connections as tests send them by REST."""

from typing import Any

from tests.callers import Caller

CHAT = {"channel": "chat", "url": "https://hooks.example.com/T1/secret", "text": "{{input.product}} is low."}
ACTION = {
    "endpoint": "https://shop.example.com/{{input.id}}",
    "headers": {"Authorization": "Bearer hunter2", "X-A": "1"},
}
DATABASE = {"host": "db.example.com", "database": "shop", "user": "u", "password": "hunter2"}


def made(caller: Caller, path: str = "events", **fields: Any) -> Any:
    answer = caller.post(f"/{path}/", fields)
    assert answer.status == 201, answer.body
    return answer.body
