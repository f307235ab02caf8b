"""The six documents that Repeater's official client (0.7.2) sends, letter by letter in their heads, and its headers."""

JOB = """
    name
    enabled
    body
    endpoint
    verb
    headers
    body
    retryable
    runAt
    runEvery
    createdAt
    updatedAt"""

JOBS = f"""
query JobsQuery {{
  jobs {{{JOB}
    lastRunAt
    nextRunAt
  }}
}}
"""

JOB_BY_NAME = f"""
query JobQuery($name: String!) {{
  job(name: $name) {{{JOB}
    lastRunAt
    nextRunAt
  }}
}}
"""

CREATE = f"""
mutation CreateJobMutation($name: String!, $enabled: Boolean!, $endpoint: String!, $verb: String!, $headers: String, \
$body: String, $retryable: Boolean! $runAt: String!, $runEvery: String) {{
  createJob(name: $name, enabled: $enabled, endpoint: $endpoint, verb: $verb headers: $headers, body: $body, \
retryable: $retryable, runAt: $runAt, runEvery: $runEvery) {{{JOB}
  }}
}}
"""

UPDATE = f"""
mutation UpdateJobMutation($name: String!, $enabled: Boolean, $endpoint: String, $verb: String, $headers: String, \
$body: String, $retryable: Boolean $runAt: String, $runEvery: String) {{
  updateJob(name: $name, enabled: $enabled, endpoint: $endpoint, verb: $verb headers: $headers, body: $body, \
retryable: $retryable, runAt: $runAt, runEvery: $runEvery) {{{JOB}
  }}
}}
"""

DELETE = """
mutation DeleteJobMutation($name: String!) {
  deleteJob(name: $name) {
    name
  }
}
"""

RESULTS = """
query JobResultsQuery($jobName: String!) {
  jobResults(jobName: $jobName) {
    status
    headers
    body
    runAt
    run
    duration
    createdAt
    updatedAt
  }
}
"""

ALL = {
    "JobsQuery": JOBS,
    "JobQuery": JOB_BY_NAME,
    "CreateJobMutation": CREATE,
    "UpdateJobMutation": UPDATE,
    "DeleteJobMutation": DELETE,
    "JobResultsQuery": RESULTS,
}
