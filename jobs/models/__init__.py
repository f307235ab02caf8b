"""What this app keeps: jobs, the events that they perform, and the connections that events share."""

from jobs.models.connection import Connection, ConnectionType
from jobs.models.event import Event, EventType
from jobs.models.job import EVENT_KIND, KIND, KINDS, Job, Verb

__all__ = ["EVENT_KIND", "KIND", "KINDS", "Connection", "ConnectionType", "Event", "EventType", "Job", "Verb"]
