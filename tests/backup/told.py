"""What a data folder and database answer, in one process, no server: ``python -m tests.backup.told PACKETS`` prints it as JSON.

With --work, what waits is worked on first."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

QUESTIONS = [
    "Count(Not(Union()))",
    "TopN(netsrc, n=50)",
    "TopN(transsrc)",
    "TopN(tag)",
    "Sum(field=length)",
    "GroupBy(Rows(job), Rows(transsrc))",
    'Count(Row(netsrc="10.0.0.5"))',
]


def told(packets: int) -> dict[str, Any]:
    """Results, jobs, some packets with their bytes, saved queries."""
    from django.test import Client

    from capture.services.checking import check_all

    client = Client(headers={"host": "localhost", "accept": "application/json"})

    def get(path: str) -> Any:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.content)
        return answer.json()

    said: dict[str, Any] = {}
    for question in QUESTIONS:
        answer = client.post("/index/net/query", question, content_type="text/plain")
        assert answer.status_code == 200, answer.content
        said[question] = answer.json()["results"]
    kept = ("id", "name", "state", "packets", "columns", "capture", "tags")
    said["jobs"] = [{name: job[name] for name in kept} for job in get("/jobs/")["results"]]
    for column in (0, 1, packets // 2, packets - 1):
        said[f"packet {column}"] = get(f"/packets/net/{column}/")
        body = b"".join(client.get(f"/packets/net/{column}/pcap"))
        said[f"bytes {column}"] = hashlib.sha256(body).hexdigest()
    said["saved"] = get("/saved/")["results"]
    said["findings"] = [str(finding) for finding in check_all()]
    return json.loads(json.dumps(said))  # type: ignore[no-any-return]


if __name__ == "__main__":
    import django

    django.setup()
    if "--work" in sys.argv:
        from capture.services import work

        work.until_idle()
    print(json.dumps(told(int(sys.argv[1]))))
