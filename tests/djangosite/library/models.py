"""Authors, books and shelves: relations, constraints, and every kind of field."""

from __future__ import annotations

import uuid

from django.db import models


class Author(models.Model):
    """Someone who wrote a book."""

    name = models.CharField(max_length=80, unique=True)
    born = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    """A book; one of its constraints is checked by the server."""

    title = models.CharField(max_length=200, db_index=True)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    pages = models.PositiveIntegerField(default=1)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)

    class Meta:
        """The same title twice is two editions, of different length."""

        constraints = (
            models.UniqueConstraint(fields=["author", "title", "pages"], name="one_edition"),
            models.CheckConstraint(condition=models.Q(price__lt=1000), name="affordable"),
        )

    def __str__(self) -> str:
        return self.title


class Note(models.Model):
    """A word in the margin: nothing in it is unique, so that no two of them wait for each other."""

    text = models.TextField()


class Shelf(models.Model):
    """One column of every kind."""

    books = models.ManyToManyField(Book)
    big = models.BigIntegerField(default=0)
    blob = models.BinaryField(default=b"")
    bright = models.BooleanField(default=False)
    built = models.DateField(null=True)
    dusted = models.DateTimeField(null=True)
    width = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    lasts = models.DurationField(null=True)
    weight = models.FloatField(null=True)
    height = models.IntegerField(null=True)
    address = models.GenericIPAddressField(null=True)
    labels = models.JSONField(default=dict)
    visits = models.PositiveBigIntegerField(default=0)
    floor = models.PositiveSmallIntegerField(default=0)
    slug = models.SlugField(default="")
    steps = models.SmallIntegerField(default=0)
    notes = models.TextField(default="")
    opens = models.TimeField(null=True)
    key = models.UUIDField(default=uuid.uuid4)
