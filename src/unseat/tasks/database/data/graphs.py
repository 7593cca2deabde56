"""The join graphs of the query templates, in the three splits: no graph is in two.

Of each: the tables with their aliases, the conditions that join them, and filters, of which a template takes some. A
filter's ``{name}`` is a parameter; `parameters.VALUES` has what it is drawn from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Graph:
    """Tables and how they are joined.

    Attributes:
        name: Its name; the group of its instances.
        split: Where its templates are.
        tables: ``table alias`` for each.
        joins: Conditions.
        filters: Conditions with parameters, the most selective first.
        key: What the template that groups groups by; with an integer to add up.
        total: That integer.
        columns: What the template that returns rows returns.
        site: The only seed on whose data it runs; None for all of its split.
    """

    name: str
    split: Literal["train", "valid", "test"]
    tables: tuple[str, ...]
    joins: tuple[str, ...]
    filters: tuple[str, ...]
    key: str
    total: str
    columns: tuple[str, ...]
    site: int | None = None

    @property
    def drawn(self) -> bool:
        """Whether it was drawn by seed, and not written by hand."""
        return self.site is not None


_REP, _UPS, _VIEWS = "u.Reputation >= {reputation}", "u.UpVotes >= {upvotes}", "u.Views <= {userviews}"
_JOINED, _SCORE, _FEW = "u.CreationDate >= {date}", "p.Score >= {score}", "p.Score <= {lowscore}"
_VIEWED, _ANSWERS = "p.ViewCount >= {viewcount}", "p.AnswerCount >= {answers}"
_TALK, _WRITTEN = "p.CommentCount >= {comments}", "p.CreationDate >= {date}"
_BEFORE, _TYPE = "p.CreationDate <= {lastdate}", "p.PostTypeId = {posttype}"
_CSCORE, _CDATE = "c.Score >= {commentscore}", "c.CreationDate >= {date}"
_VTYPE, _VDATE = "v.VoteTypeId = {votetype}", "v.CreationDate >= {date}"
_HTYPE, _HDATE = "h.PostHistoryTypeId = {historytype}", "h.CreationDate >= {date}"
_BDATE, _LTYPE = "b.Date >= {date}", "l.LinkTypeId = {linktype}"
_FAV = "p.FavoriteCount >= {favorites}"

_P, _U, _C, _V = "posts p", "users u", "comments c", "votes v"
_B, _H, _L = "badges b", "postHistory h", "postLinks l"
_UP, _CP, _CU = "p.OwnerUserId = u.Id", "c.PostId = p.Id", "c.UserId = u.Id"
_VP, _VU, _BU = "v.PostId = p.Id", "v.UserId = u.Id", "b.UserId = u.Id"
_HP, _HU, _LP = "h.PostId = p.Id", "h.UserId = u.Id", "l.PostId = p.Id"
_LR, _EU = "l.RelatedPostId = p.Id", "p.LastEditorUserId = u.Id"
_Q, _AQ = "posts q", "p.ParentId = q.Id"
_W, _CW = "users w", "c.UserId = w.Id"

_PROWS, _UROWS = ("p.Id", "p.Score", "p.CreationDate"), ("u.Id", "u.Reputation", "u.CreationDate")

GRAPHS: tuple[Graph, ...] = (
    # Learned from.
    Graph("owner-comments", "train", (_U, _P, _C), (_UP, _CP), (_REP, _SCORE, _CSCORE), "u.Id", "c.Score", _UROWS),
    Graph("owner-votes", "train", (_U, _P, _V), (_UP, _VP), (_UPS, _WRITTEN, _VTYPE), "u.Id", "p.Score", _UROWS),
    Graph("owner-history", "train", (_U, _P, _H), (_UP, _HP), (_JOINED, _VIEWED, _HTYPE), "u.Id", "p.ViewCount",
          _UROWS),
    Graph("owner-badges", "train", (_U, _P, _B), (_UP, _BU), (_SCORE, _BDATE, _VIEWS), "u.Id", "p.Score", _UROWS),
    Graph("comments-votes", "train", (_P, _C, _V), (_CP, _VP), (_SCORE, _CSCORE, _VTYPE), "p.Id", "c.Score", _PROWS),
    Graph("comments-history", "train", (_P, _C, _H), (_CP, _HP), (_ANSWERS, _CDATE, _HTYPE), "p.Id", "c.Score", _PROWS),
    Graph("links-votes", "train", (_P, _L, _V), (_LP, _VP), (_WRITTEN, _VDATE, _LTYPE), "p.Id", "p.Score", _PROWS),
    Graph("related-comments", "train", (_P, _L, _C), (_LR, _CP), (_TALK, _CDATE, _LTYPE), "p.Id", "c.Score", _PROWS),
    Graph("answers-owner", "train", (_Q, _P, _U), (_AQ, _UP), (_REP, _SCORE, "q.ViewCount >= {viewcount}"), "q.Id",
          "p.Score", ("q.Id", "q.Score", "p.Id")),
    Graph("commenter-badges", "train", (_P, _C, _U, _B), (_CP, _CU, _BU), (_SCORE, _UPS, _BDATE), "u.Id", "c.Score",
          _UROWS),
    Graph("owner-comments-votes", "train", (_U, _P, _C, _V), (_UP, _CP, _VP), (_REP, _SCORE, _VTYPE, _CSCORE), "u.Id",
          "c.Score", _UROWS),
    Graph("owner-history-links", "train", (_U, _P, _H, _L), (_UP, _HP, _LP), (_JOINED, _HTYPE, _LTYPE, _FEW), "u.Id",
          "p.Score", _UROWS),
    Graph("owner-badges-links", "train", (_U, _P, _B, _L), (_UP, _BU, _LR), (_REP, _BDATE, _BEFORE), "u.Id", "p.Score",
          _UROWS),
    Graph("voter-history", "train", (_P, _V, _U, _H), (_VP, _VU, _HP), (_UPS, _VTYPE, _HDATE, _TYPE), "p.Id", "p.Score",
          _PROWS),
    Graph("answers-comments-owner", "train", (_Q, _P, _C, _U), (_AQ, _CP, _UP), (_REP, "q.Score >= {score}", _CSCORE),
          "q.Id", "c.Score", ("q.Id", "p.Id", "c.Id")),
    Graph("owner-comments-history-votes", "train", (_U, _P, _C, _H, _V), (_UP, _CP, _HP, _VP),
          (_UPS, _SCORE, _HTYPE, _VTYPE, _CSCORE), "u.Id", "p.Score", _UROWS),
    Graph("owner-badges-comments-links", "train", (_U, _P, _B, _C, _L), (_UP, _BU, _CP, _LP),
          (_REP, _BDATE, _CSCORE, _WRITTEN), "p.Id", "c.Score", _PROWS),
    Graph("editor-votes-links", "train", (_U, _P, _V, _L), (_EU, _VP, _LR), (_VIEWS, _VDATE, _FAV), "u.Id", "p.Score",
          _UROWS),
    Graph("answers-votes-history-owner", "train", (_Q, _P, _V, _H, _U), (_AQ, _VP, _HP, _UP),
          (_JOINED, _SCORE, _VTYPE, _HTYPE), "q.Id", "p.Score", ("q.Id", "p.Id", "u.Id")),
    Graph("two-people", "train", (_U, _P, _C, _W), (_UP, _CP, _CW), (_REP, "w.Reputation >= {reputation2}", _CSCORE),
          "w.Id", "c.Score", ("w.Id", "u.Id", "p.Id")),
    Graph("all-but-badges", "train", (_U, _P, _C, _V, _H, _L), (_UP, _CP, _VP, _HP, _LP),
          (_REP, _SCORE, _VTYPE, _HTYPE, _CSCORE), "p.Id", "c.Score", _PROWS),
    Graph("history-user-badges", "train", (_H, _U, _B), (_HU, _BU), (_HTYPE, _UPS, _BDATE), "u.Id",
          "h.PostHistoryTypeId",
          _UROWS),
    Graph("eight-tables", "train", (_U, _P, _C, _V, _H, _B, _L, _Q), (_UP, _CP, _VP, _HP, _BU, _LP, _AQ),
          (_REP, _SCORE, _VTYPE, _HTYPE, _BDATE, _CSCORE), "p.Id", "c.Score", _PROWS),
    # Chosen by.
    Graph("editor-comments", "valid", (_U, _P, _C), (_EU, _CP), (_UPS, _SCORE, _CDATE), "u.Id", "c.Score", _UROWS),
    Graph("votes-links", "valid", (_P, _V, _L), (_VP, _LR), (_VIEWED, _VTYPE, _LTYPE), "p.Id", "p.Score", _PROWS),
    Graph("commenter-owner-history", "valid", (_P, _C, _W, _H), (_CP, _CW, _HP), ("w.UpVotes >= {upvotes}", _HTYPE,
          _SCORE),
          "p.Id", "c.Score", _PROWS),
    Graph("answers-badges", "valid", (_Q, _P, _U, _B), (_AQ, _UP, _BU), (_REP, _BDATE, "q.AnswerCount >= {answers}"),
          "q.Id",
          "p.Score", ("q.Id", "p.Id", "u.Id")),
    Graph("owner-votes-links-comments", "valid", (_U, _P, _V, _L, _C), (_UP, _VP, _LP, _CP), (_REP, _VTYPE, _CSCORE,
          _FEW),
          "p.Id", "c.Score", _PROWS),
    Graph("owner-history-votes", "valid", (_U, _P, _H, _V), (_UP, _HP, _VP), (_JOINED, _HTYPE, _VTYPE, _SCORE), "u.Id",
          "p.Score", _UROWS),
    Graph("nine-tables-answers", "valid", (_Q, _P, _U, _B, _C, _W, _V, _H, _L),
          (_AQ, _UP, _BU, _CP, _CW, _VP, _HP, _LR), (_REP, "w.UpVotes >= {upvotes}", _VTYPE, _HTYPE, _SCORE, _BDATE),
          "q.Id", "c.Score", ("q.Id", "p.Id", "u.Id")),
    # Judged by.
    Graph("commenter-posts", "test", (_U, _C, _P), (_CU, _CP), (_REP, _TALK, _CSCORE), "u.Id", "c.Score", _UROWS),
    Graph("voter-posts", "test", (_U, _V, _P), (_VU, _VP), (_UPS, _VTYPE, _SCORE), "u.Id", "p.Score", _UROWS),
    Graph("editor-history", "test", (_U, _P, _H), (_EU, _HP), (_VIEWS, _HTYPE, _WRITTEN), "u.Id", "p.Score", _UROWS),
    Graph("history-votes", "test", (_P, _H, _V), (_HP, _VP), (_SCORE, _HTYPE, _VTYPE), "p.Id", "p.Score", _PROWS),
    Graph("related-history", "test", (_P, _L, _H), (_LR, _HP), (_FAV, _HDATE, _LTYPE), "p.Id", "p.Score", _PROWS),
    Graph("answers-comments", "test", (_Q, _P, _C), (_AQ, _CP), (_SCORE, "q.ViewCount >= {viewcount}", _CSCORE), "q.Id",
          "c.Score", ("q.Id", "p.Id", "c.Id")),
    Graph("owner-comments-badges", "test", (_U, _P, _C, _B), (_UP, _CP, _BU), (_REP, _BDATE, _SCORE), "u.Id", "c.Score",
          _UROWS),
    Graph("owner-votes-history-comments", "test", (_U, _P, _V, _H, _C), (_UP, _VP, _HP, _CP),
          (_REP, _SCORE, _VTYPE, _HTYPE), "u.Id", "c.Score", _UROWS),
    Graph("editor-badges-links", "test", (_U, _P, _B, _L), (_EU, _BU, _LP), (_UPS, _BDATE, _LTYPE), "u.Id", "p.Score",
          _UROWS),
    Graph("commenter-answers", "test", (_Q, _P, _C, _W), (_AQ, _CP, _CW), ("w.Reputation >= {reputation}", _SCORE,
          _CDATE),
          "w.Id", "c.Score", ("w.Id", "p.Id", "q.Id")),
    Graph("comments-votes-links", "test", (_P, _C, _V, _L), (_CP, _VP, _LR), (_WRITTEN, _VTYPE, _CSCORE, _TYPE), "p.Id",
          "c.Score", _PROWS),
    Graph("history-user-posts-votes", "test", (_H, _U, _P, _V), (_HU, _HP, _VP), (_UPS, _HTYPE, _VDATE, _SCORE), "u.Id",
          "p.Score", _UROWS),
    Graph("all-six", "test", (_U, _P, _C, _V, _H, _B), (_UP, _CP, _VP, _HP, _BU),
          (_REP, _SCORE, _VTYPE, _HTYPE, _BDATE, _CSCORE), "p.Id", "c.Score", _PROWS),
    Graph("two-people-votes-history", "test", (_U, _P, _C, _W, _V, _H), (_UP, _CP, _CW, _VP, _HP),
          (_REP, "w.UpVotes >= {upvotes}", _VTYPE, _HTYPE), "u.Id", "c.Score", ("w.Id", "u.Id", "p.Id")),
    Graph("answers-everything", "test", (_Q, _P, _C, _V, _U, _B, _L), (_AQ, _CP, _VP, _UP, _BU, "l.PostId = q.Id"),
          (_REP, _SCORE, _VTYPE, _BDATE), "q.Id", "c.Score", ("q.Id", "p.Id", "u.Id")),
    Graph("eight-tables-asked", "test", (_Q, _P, _U, _C, _W, _V, _H, _B),
          (_AQ, "q.OwnerUserId = u.Id", _CP, _CW, _VP, _HP, _BU), (_REP, _SCORE, _VTYPE, _HTYPE, _CSCORE, _BDATE),
          "p.Id", "c.Score", _PROWS),
    Graph("nine-tables", "test", (_Q, _P, _U, _C, _W, _V, _H, _B, _L),
          (_AQ, _UP, _CP, _CW, _VP, _HP, _BU, "l.PostId = q.Id"),
          (_UPS, "w.Reputation >= {reputation}", _VTYPE, _HTYPE, _TALK, _BDATE), "u.Id", "c.Score", _UROWS),
)  # fmt: skip
