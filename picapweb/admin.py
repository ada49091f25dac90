"""Django's admin at /admin/: what there is in Postgres, for people who look after a server.

Jobs and batches are the queue of record, in which each packet counts once: nothing is added or changed here, and a job is
stopped, tried again or deleted by the same services as everywhere else, so that its bits, files and rows go together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth import admin as _users
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from capture.models import Job
from capture.services import control
from capture.services.errors import Refused
from indexing.models import Batch
from proxy.models import Alert, SavedQuery
from proxy.saved import standing

site = admin.site
site.site_header = site.site_title = "picapweb"
site.index_title = "Administration"


if TYPE_CHECKING:  # at run time Django's class takes no type
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin


class ReadOnly(_Admin):
    """Rows to look at: nobody adds, changes or deletes them here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


site.unregister(User)


@admin.register(User)
class UserAdmin(_users.UserAdmin):  # type: ignore[type-arg]  # takes arguments for the type checker only
    """Django's own. When somebody joined, and signed in last, is what happened, and nothing to be changed."""

    readonly_fields = ("last_login", "date_joined")


@admin.register(Job)
class JobAdmin(ReadOnly):
    """Jobs, without deleted ones. Their actions are those of a job's page."""

    list_display = ("id", "name", "page", "kind", "state", "index", "owner", "packets_indexed", "bytes_wire", "created", "error")
    list_display_links = ("id", "name")
    list_filter = ("state", "kind", "index", "dissector", "created", ("owner", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "filter", "error", "captures__sha256")
    list_select_related = ("owner",)
    list_per_page = 50
    date_hierarchy = "created"
    actions = ("stop_jobs", "retry_jobs")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return Job.objects.live()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the user's rights say: `capture.delete_job`."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    @admin.display(description="page")
    def page(self, job: Job) -> SafeString:
        return format_html('<a href="{}">open</a>', job.get_absolute_url())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What is asked about before: the jobs. What hangs on them goes in the background, by the service."""
        jobs = list(objs)
        return [str(job) for job in jobs], {"jobs": len(jobs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Job) -> None:
        control.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        for job in queryset:
            control.delete(job)

    @admin.action(description="Stop", permissions=["delete"])
    def stop_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, control.stop, "told to stop")

    @admin.action(description="Try again", permissions=["delete"])
    def retry_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, control.retry, "going on")

    def _each(self, request: HttpRequest, jobs: QuerySet[Job], do: Callable[[Job], Any], words: str) -> None:
        """Does it to each of them, and says of whom it was refused."""
        done = 0
        for job in jobs:
            try:
                do(job)
                done += 1
            except Refused as refused:
                self.message_user(request, refused.detail, messages.WARNING)
        if done:
            self.message_user(request, f"{done} job{'' if done == 1 else 's'} {words}", messages.SUCCESS)


@admin.register(Batch)
class BatchAdmin(ReadOnly):
    """The queue of record, as it is."""

    list_display = (
        "id",
        "job",
        "sequence",
        "state",
        "index",
        "packets",
        "undecodable",
        "attempt",
        "worker",
        "lease_until",
        "error",
    )
    list_filter = ("state", "index", "urgent")
    search_fields = ("=job", "worker", "error")
    list_select_related = ("index",)
    show_full_result_count = False
    actions = None

    # Without actions Django's page would bring a style of its own, which our policy forbids.
    actions_on_top = True


@admin.register(SavedQuery)
class SavedQueryAdmin(_Admin):
    """Names and owners of saved queries; questions are written where they can be tried, on the page of the query."""

    list_display = ("name", "page", "owner", "index", "q", "is_standing", "updated")
    list_filter = ("index", ("owner", admin.RelatedOnlyFieldListFilter), "updated")
    search_fields = ("name", "q", "owner__username")
    list_select_related = ("owner", "standing")
    fields = ("name", "owner", "index", "q", "lang", "jobs", "begin", "end", "fields", "created", "updated")
    readonly_fields = ("index", "q", "lang", "jobs", "begin", "end", "fields", "created", "updated")
    raw_id_fields = ("owner",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description="page")
    def page(self, saved: SavedQuery) -> SafeString:
        return format_html('<a href="{}">open</a>', saved.get_absolute_url())

    @admin.display(description="raises alerts", boolean=True)
    def is_standing(self, saved: SavedQuery) -> bool:
        one = standing.of(saved)
        return one is not None and one.enabled


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    """Alerts that were raised; they are acknowledged on their own page."""

    list_display = ("id", "name", "page", "index", "count", "raised", "acknowledged", "acknowledged_by")
    list_filter = (("acknowledged", admin.EmptyFieldListFilter), "index", "raised")
    search_fields = ("name",)
    list_select_related = ("acknowledged_by",)
    date_hierarchy = "raised"

    @admin.display(description="page")
    def page(self, alert: Alert) -> SafeString:
        return format_html('<a href="{}">open</a>', alert.get_absolute_url())
