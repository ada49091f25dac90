"""What Postgres keeps of the index: columns given out, the translation table, and the batches: the queue of record."""

from __future__ import annotations

from django.db import models


class PacketIndex(models.Model):
    """A named set of fields and columns, as in Pilosa. Columns are given out densely and never again."""

    name = models.CharField(max_length=64, unique=True)
    next_column = models.BigIntegerField(default=0)

    class Meta:
        permissions = [("write_packets", "Can change packet indexes by queries, where PICAPWEB_PACKET_WRITES lets anybody")]

    def __str__(self) -> str:
        return self.name


class ClientIndex(models.Model):
    """An index that a client of Pilosa made through us (indexing.client.tables). No packet index has its name."""

    name = models.CharField(max_length=64, unique=True)
    keys = models.BooleanField(help_text="columns have names")
    track_existence = models.BooleanField()

    def __str__(self) -> str:
        return self.name


class ClientField(models.Model):
    """A field of it. What its type does not have is at its default (indexing.client.contract.FieldOptions)."""

    index = models.ForeignKey(ClientIndex, on_delete=models.CASCADE, db_index=False)
    name = models.CharField(max_length=64)
    type = models.CharField(max_length=8)
    keys = models.BooleanField()
    cache_type = models.CharField(max_length=8)
    cache_size = models.BigIntegerField()
    minimum = models.BigIntegerField()
    maximum = models.BigIntegerField()
    time_quantum = models.CharField(max_length=4)
    no_standard_view = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "name"], name="client_field_unique")]

    def __str__(self) -> str:
        return f"{self.index}/{self.name}"


class TranslationField(models.Model):
    """One field of one index in the translation table, and the next row id to give out (from 1, never reused)."""

    index = models.CharField(max_length=64)
    field = models.CharField(max_length=64)
    next_row = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "field"], name="translation_field_unique")]

    def __str__(self) -> str:
        return f"{self.index}/{self.field}"


class TranslationValue(models.Model):
    """A value and the row id that stands for it.

    Unique by a 128-bit hash and not by the value: a B-tree refuses values of 64 KiB. The value is compared too.
    """

    pk = models.CompositePrimaryKey("field_id", "row")
    # Without a constraint: its check took most of the time of writing a value, and fields never go.
    field = models.ForeignKey(TranslationField, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    row = models.BigIntegerField()
    hash = models.UUIDField()
    value = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["field", "hash"], name="translation_value_unique")]


class TranslationEpoch(models.Model):
    """How often values of an index were marked as unused (see indexing.translation_epoch). No row: never."""

    index = models.CharField(max_length=64, primary_key=True)
    epoch = models.BigIntegerField(default=0)


class TranslationSweep(models.Model):
    """Values of an index are to be looked at, for bits went: whether somebody uses them still (indexing.translation_freeing)."""

    index = models.CharField(max_length=64, primary_key=True)
    due = models.DateTimeField(null=True, help_text="when all values are to be looked at (again)")
    field_id = models.BigIntegerField(null=True, help_text="at work on it; null: not at work")
    row = models.BigIntegerField(default=0, help_text="of that field, the last row id that was looked at")


class TranslationMark(models.Model):
    """Row ids of one field that nobody seemed to use: an epoch began with it. Kept for a while after it was settled, so that
    processes learn what to forget."""

    index = models.CharField(max_length=64)
    epoch = models.BigIntegerField(help_text="which began with it")
    field_id = models.BigIntegerField()
    rows = models.BinaryField(help_text="row ids, little endian, 8 bytes each")
    made = models.DateTimeField()
    settled = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "epoch"], name="translation_mark_unique")]
        indexes = [models.Index(fields=["made"], condition=models.Q(settled=False), name="translation_mark_open")]


class TranslationDying(models.Model):
    """One row id of a mark that is not settled, unless somebody took it back meanwhile."""

    pk = models.CompositePrimaryKey("field_id", "row")
    field_id = models.BigIntegerField()
    row = models.BigIntegerField()
    mark = models.BigIntegerField(help_text="the mark that it belongs to")


class TranslationSearch(models.Model):
    """A field whose values are kept a second time, so that predicates find them (indexing.translation_copy)."""

    field_id = models.BigIntegerField(primary_key=True)
    covered = models.BigIntegerField(default=0, help_text="its values up to this row are in TranslationCopy")


class TranslationCopy(models.Model):
    """A value as predicates find it: by its beginning, as an address, by the three-letter pieces of its text.

    The indexes are in the migration: no model can say them. Deleting a value deletes its copy (a trigger)."""

    pk = models.CompositePrimaryKey("field_id", "row")
    field_id = models.BigIntegerField()
    row = models.BigIntegerField()
    value = models.BinaryField()
    key = models.BinaryField(help_text="its first 64 bytes")
    address = models.GenericIPAddressField(null=True, help_text="the IP address that it is the text of")


class BatchState(models.TextChoices):
    READY = "ready", "waits for a worker"
    CLAIMED = "claimed", "a worker has it, under a lease"
    VISIBLE = "visible", "in every answer"
    FAILED = "failed", "set aside"
    DROPPED = "dropped", "its job was stopped first"
    HIDDEN = "hidden", "its job was deleted; its bits are being cleared"


class SecondPass(models.TextChoices):
    NONE = "", "no field of it is wanted"
    WAITING = "waiting", "its packets are to be taken up by the second pass over its job's conversations"
    OPEN = "open", "they were; some may still get values"
    DONE = "done", "all that the second pass finds of them is in the index"


class Batch(models.Model):
    """A run of consecutive packets of one capture: the unit of work, of retry, of column allocation, of visibility.

    ::

        ready --claim--> claimed --complete--> visible --delete--> hidden
          ^                |  |                   every other state too --delete--> hidden
          |<-lease expired-+  +--too many attempts, or an error of its own--> failed --retry--> ready
          +--job stopped--> dropped --retry--> ready

    The job is known by its id only: jobs drive indexing, indexing knows nothing of jobs.
    Paths are relative to the data folder.
    """

    index = models.ForeignKey(PacketIndex, on_delete=models.PROTECT)
    job = models.BigIntegerField()
    sequence = models.BigIntegerField(help_text="position in the job, from 0; the first one of those that were merged")
    state = models.CharField(max_length=8, choices=BatchState, default=BatchState.READY)

    capture = models.TextField(help_text="path of the stored capture")
    locator = models.TextField(help_text="path of the locator")
    fields = models.JSONField(help_text="names of the fields that this batch indexes")
    dissector = models.CharField(max_length=32, help_text="asked for; once visible: name and version that did it")

    first_column = models.BigIntegerField()
    packets = models.IntegerField(help_text="columns: packets to index")
    read = models.IntegerField(help_text="packets scanned = packets + filtered_out")
    filtered_out = models.IntegerField()
    undecodable = models.IntegerField(default=0)
    handed_over = models.IntegerField(default=0, help_text="from the fast dissector to scapy")
    not_indexed = models.JSONField(default=dict, help_text="of `fields` those that could not be had: field -> why")
    first_number = models.BigIntegerField(help_text="of its first indexed packet in the capture, from 1", null=True)
    last_number = models.BigIntegerField(null=True)
    first_time_ns = models.BigIntegerField(null=True)
    last_time_ns = models.BigIntegerField(null=True)
    captured_bytes = models.BigIntegerField(default=0)
    wire_bytes = models.BigIntegerField(default=0)

    attempt = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True, help_text="backed off until then: a part was away")
    urgent = models.BooleanField(default=False, help_text="of a live capture: somebody waits for it now")
    second_pass = models.CharField(max_length=7, choices=SecondPass, default=SecondPass.NONE, blank=True)
    generation = models.IntegerField(default=0, help_text="of the index; 0: for ever. Those of turning rings are dropped whole")
    worker = models.TextField(blank=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.UniqueConstraint(fields=["job", "sequence"], name="batch_unique"),
            models.CheckConstraint(condition=models.Q(read=models.F("packets") + models.F("filtered_out")), name="batch_adds_up"),
        ]
        indexes = [
            # The claim looks only at open batches; done ones, the many, are not in this index.
            models.Index(fields=["id"], condition=models.Q(state__in=["ready", "claimed"]), name="batch_open"),
            models.Index(fields=["index", "first_column"], name="batch_columns"),
            models.Index(fields=["job", "sequence"], condition=models.Q(second_pass="waiting"), name="batch_second_pass"),
        ]

    def __str__(self) -> str:
        return f"batch {self.sequence} of job {self.job}"

    @property
    def last_column(self) -> int:
        """Its last column; first_column - 1 if it has none."""
        return self.first_column + self.packets - 1


class GivenUpPackets(models.Model):
    """Neighbouring packets that could not be dissected: whatever did it ended, hung or ran out of memory, each time.

    They are in the index with what their records say of them, and count as undecodable; or, `of_packages`, lack only the
    fields of installed packages. Rows of columns that leave the index go with them."""

    job = models.BigIntegerField()
    capture = models.TextField(help_text="path of the stored capture")
    first_column = models.BigIntegerField()
    packets = models.IntegerField()
    first_number = models.BigIntegerField(help_text="in the capture, from 1")
    last_number = models.BigIntegerField()
    offset = models.BigIntegerField(help_text="of the first one's first byte in the stored capture")
    reason = models.TextField()
    of_packages = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "packets given up"
        indexes = [models.Index(fields=["job", "first_column"], name="given_up_job")]

    def __str__(self) -> str:
        return f"packets {self.first_number} to {self.last_number} of job {self.job}"
