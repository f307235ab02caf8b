"""What the verbs are given in more than one file."""

LATER = "2030-01-01T00:00:00.000Z"
ELSEWHERE = "https://other.example.net/"

CREATE_OR_UPDATE = """mutation M($applicationName: String, $name: String!, $enabled: Boolean, $endpoint: String!,
  $verb: String!, $headers: String, $body: String, $runAt: String!, $runEvery: String) {
  createOrUpdateJob(applicationName: $applicationName, name: $name, enabled: $enabled, endpoint: $endpoint,
    verb: $verb, headers: $headers, body: $body, runAt: $runAt, runEvery: $runEvery) {
    name verb enabled body runEvery application { name } } }"""
NEEDED = {"name": "first", "endpoint": "https://example.com/", "verb": "put", "runAt": LATER}
