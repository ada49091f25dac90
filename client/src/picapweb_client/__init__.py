"""picapweb from Python: captures in, answers about their packets out."""

from picapweb_client.alerts import Alert
from picapweb_client.carving import Exported
from picapweb_client.client import Client
from picapweb_client.comparison import Change, Comparison, FieldComparison, Side
from picapweb_client.crosstab import Axis, Crosstab
from picapweb_client.errors import (
    Away,
    Conflict,
    Gone,
    JobFailed,
    MissingExtra,
    NotAllowed,
    NotFound,
    PicapwebError,
    QueryError,
    QueryLimit,
    Timeout,
    WaitTimeout,
)
from picapweb_client.flow import End, Flow, Flows, FlowsAbout, NamedQuery
from picapweb_client.histogram import Bin, Histogram, Part
from picapweb_client.job import ByteCounts, CaptureInfo, Job, PacketCounts, Progress
from picapweb_client.packet import Packet, Packets, Question, WholePacket
from picapweb_client.packets import Field, Interface
from picapweb_client.pql import Answer, Columns, Group, Groups, Pair, Pairs, Rows, ValueCount
from picapweb_client.saved import AlertOptions, AlertSettings, SavedQuery, Tag, Tagged, WebhookAnswer
from picapweb_client.top import Top, TopValue

__all__ = [
    "Alert",
    "AlertOptions",
    "AlertSettings",
    "Answer",
    "Away",
    "Axis",
    "Bin",
    "ByteCounts",
    "CaptureInfo",
    "Change",
    "Client",
    "Columns",
    "Comparison",
    "Conflict",
    "Crosstab",
    "End",
    "Exported",
    "Field",
    "FieldComparison",
    "Flow",
    "Flows",
    "FlowsAbout",
    "Gone",
    "Group",
    "Groups",
    "Histogram",
    "Interface",
    "Job",
    "JobFailed",
    "MissingExtra",
    "NamedQuery",
    "NotAllowed",
    "NotFound",
    "Packet",
    "PacketCounts",
    "Packets",
    "Pair",
    "Pairs",
    "Part",
    "PicapwebError",
    "Progress",
    "QueryError",
    "QueryLimit",
    "Question",
    "Rows",
    "SavedQuery",
    "Side",
    "Tag",
    "Tagged",
    "Timeout",
    "Top",
    "TopValue",
    "ValueCount",
    "WaitTimeout",
    "WebhookAnswer",
    "WholePacket",
]
