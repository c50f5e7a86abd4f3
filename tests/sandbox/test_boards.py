"""What the boards show of a workspace, asked in process: the HTML of each view and page."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from studio import Studio, block, build_studio, emoji, options, text

from rayline_sandbox.boards import Boards
from rayline_sandbox.boards.calendars import Span, window_of
from rayline_sandbox.boards.reader import VIEWER_HEADER, Reader
from rayline_sandbox.boards.texts import date_text, initials, parse_day, safe_href
from rayline_sandbox.boards.words import TEXT, speak
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, Request, Response, from_parts

Json = dict[str, Any]


def make_notion() -> NotionSandbox:
    return NotionSandbox(
        Clock(datetime(2026, 11, 20, 9, tzinfo=UTC)), limit=None, empty=False
    )


def make_boards(notion: NotionSandbox, locale: str = "ru") -> Boards:
    return Boards(
        notion.handle,
        token=notion.token,
        root_page_id=notion.root_page_id,
        locale=locale,
        now=notion.now,
        revision=notion.revision,
        api_port=8123,
    )


@pytest.fixture(scope="module")
def notion() -> NotionSandbox:
    return make_notion()


@pytest.fixture(scope="module")
def studio(notion: NotionSandbox) -> Studio:
    return build_studio(
        notion.handle,
        token=notion.token,
        root=notion.root_page_id,
        users=(notion.owner_id,),
    )


@pytest.fixture(scope="module")
def boards(notion: NotionSandbox, studio: Studio) -> Boards:
    return make_boards(notion)


class Small:
    """A workspace of one database, for cases the studio does not have."""

    def __init__(self, properties: Json) -> None:
        self.notion = make_notion()
        self.studio = Studio(
            self.notion.handle, self.notion.token, self.notion.root_page_id
        )
        self.studio.database(
            "d", title="D", icon="🧪", properties={"Name": {"title": {}}} | properties
        )
        self.boards = make_boards(self.notion, "en")
        self.path = f"/d/{self.studio.databases['d']}"

    def add(self, title: str, **properties: Any) -> str:
        return self.studio.row("d", {"Name": {"title": text(title)}} | properties)


def ask(boards: Boards, path: str, headers: dict[str, str] | None = None) -> Response:
    return boards.handle(
        from_parts("GET", path, {"host": "127.0.0.1:9"} | (headers or {}), b"")
    )


def show(boards: Boards, path: str) -> str:
    response = ask(boards, path)
    assert response.status == 200, response.body.decode()[:500]
    return response.body.decode()


def view(studio: Studio, name: str, **query: str) -> str:
    extra = "".join(f"&{key}={value}" for key, value in query.items())
    return (
        f"/d/{studio.databases[name.partition('.')[0]]}?v={studio.views[name]}{extra}"
    )


def words_of(html: str) -> str:
    """Return the text of a page without markup, spaces of all kinds as one."""
    pieces: list[str] = []
    parser = HTMLParser()
    parser.handle_data = pieces.append  # type: ignore[method-assign,assignment]
    parser.feed(re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.S))
    return " ".join(" ".join(pieces).split())


def test_the_home_page_lists_databases_and_pages_with_their_icons(
    boards: Boards, studio: Studio
) -> None:
    html = show(boards, "/")
    for icon, title in (
        ("🤝", "Клиенты"),
        ("🚀", "Проекты"),
        ("✅", "Спринт аккаунтов"),
        ("📅", "Понедельничный"),
    ):
        assert icon in html
        assert title in html
    assert f'href="/d/{studio.databases["projects"]}"' in html


def test_a_board_has_a_column_for_each_stage_in_schema_order_with_its_count_and_colour(
    boards: Boards, studio: Studio
) -> None:
    html = show(boards, view(studio, "projects.board"))
    found = re.findall(
        r'<section class="column (tag-\w+)">\s*<h2><span class="tag \1">([^<]+)</span>'
        r'<span class="count">(\d+)</span>',
        html,
    )
    assert [name for _, name, _ in found] == [
        "Проработка",
        "Предложение",
        "Согласовано",
        "В работе",
        "Эволюция",
        "Готово",
        "Проиграно",
    ]
    assert [color for color, _, _ in found][3] == "tag-blue"
    assert sum(int(count) for _, _, count in found) == 35
    assert "Пустые группы" in html
    assert html.count('class="card"') == 35


def test_a_card_shows_the_properties_its_view_chose_and_no_others(
    boards: Boards, studio: Studio
) -> None:
    html = show(boards, view(studio, "projects.board"))
    assert "СтройИнвест" in html
    assert "<progress" in html
    assert "₽" not in html


def test_a_table_writes_typed_cells(boards: Boards, studio: Studio) -> None:
    html = show(boards, f"/d/{studio.databases['clients']}")
    text_of = words_of(html)
    assert "225 500 ₽" in text_of
    assert "14 %" in text_of
    assert '<progress max="1" value="0.14"' in html
    assert "10 дек. 2026" in text_of
    assert html.count('class="check on"') == 6
    assert '<a class="out" href="https://example.com/3"' in html
    assert '<span class="tag tag-green">Зелёный</span>' in html


def test_dates_and_numbers_follow_the_language(boards: Boards, studio: Studio) -> None:
    english = words_of(show(boards, f"/d/{studio.databases['clients']}?lang=en"))
    assert "₽225,500" in english
    assert "Dec 10, 2026" in english
    assert "12 rows" in english


def test_the_language_is_remembered_by_a_cookie_and_falls_back_to_the_locale(
    boards: Boards,
) -> None:
    chosen = ask(boards, "/?lang=en")
    assert chosen.headers["set-cookie"].startswith("lang=en;")
    assert b'<html lang="en">' in ask(boards, "/", {"cookie": "lang=en"}).body
    for cookie in ("lang=<x>", "lang=de", "other=en", ""):
        assert b'<html lang="ru">' in ask(boards, "/", {"cookie": cookie}).body


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    assert TEXT["en"].keys() == TEXT["ru"].keys()
    for key, english in TEXT["en"].items():
        assert set(re.findall(r"{\w+}", english)) == set(
            re.findall(r"{\w+}", TEXT["ru"][key])
        ), key


def test_russian_counts_are_declined() -> None:
    russian = speak("ru")
    assert [russian.rows(count) for count in (1, 3, 11, 25)] == [
        "1 строка",
        "3 строки",
        "11 строк",
        "25 строк",
    ]


def test_a_list_view_applies_its_filter_and_sort_by_querying(
    boards: Boards, studio: Studio
) -> None:
    html = show(boards, view(studio, "projects.list"))
    assert "9 строк" in words_of(html)
    titles = re.findall(r'<a class="title" href="/p/([^"]+)"', html)
    places = [studio.rows["projects"].index(page_id) for page_id in titles]
    assert places == sorted(places, reverse=True)


def test_a_timeline_groups_bars_by_client_and_lists_cards_without_dates_beneath(
    boards: Boards, studio: Studio
) -> None:
    html = show(boards, view(studio, "projects.timeline"))
    bars = html.count('class="span ')
    beneath = html.partition('class="beneath"')[2]
    assert bars == 31
    assert beneath.count('class="relation"') == 4
    assert "СтройИнвест" in html
    assert 'class="now"' in html


def test_bars_lie_inside_the_axis_and_in_order_of_their_dates(
    boards: Boards, studio: Studio
) -> None:
    html = show(boards, view(studio, "projects.timeline"))
    places = re.findall(r"#b\d+\{left:([\d.]+)%;width:([\d.]+)%\}", html)
    assert len(places) == 31
    for left, width in places:
        assert 0 <= float(left) <= 100
        assert 0 < float(width) <= 100.01 - float(left)


def test_a_timeline_never_stretches_to_garbage_years() -> None:
    today = date(2026, 11, 20)
    window = window_of(
        [
            Span(date(1970, 1, 1), date(2026, 12, 1)),
            Span(date(2026, 1, 1), date(9999, 1, 1)),
        ],
        today,
    )
    assert window.first == date(2025, 9, 1)
    assert window.last == date(2028, 5, 31)


def test_a_calendar_shows_tasks_on_their_days_and_turns_its_pages(
    boards: Boards, studio: Studio
) -> None:
    html = show(boards, view(studio, "tasks.calendar"))
    assert "Ноябрь 2026" in html
    today = re.search(r'<td class=" today">.*?</td>', html, re.S)
    assert today is not None
    assert "смету № 10" in today.group()
    assert "Декабрь 2026" in show(
        boards, view(studio, "tasks.calendar", month="2026-12")
    )
    assert "Ноябрь 2026" in show(boards, view(studio, "tasks.calendar", month="99-9"))


def test_an_empty_month_points_to_the_nearest_with_rows(
    boards: Boards, studio: Studio
) -> None:
    later = show(boards, view(studio, "tasks.calendar", month="2027-06"))
    assert (
        "month=2026-12"
        in later.partition("В этом месяце ничего нет")[2].partition("</p>")[0]
    )
    earlier = show(boards, view(studio, "tasks.calendar", month="2026-01"))
    assert (
        "month=2026-11"
        in earlier.partition("В этом месяце ничего нет")[2].partition("</p>")[0]
    )
    assert "В этом месяце ничего нет" not in show(
        boards, view(studio, "tasks.calendar")
    )


def test_a_gallery_shows_every_row(boards: Boards, studio: Studio) -> None:
    assert show(boards, view(studio, "projects.gallery")).count('class="card"') == 35


def test_a_table_can_be_grouped_by_any_property_that_groups(
    boards: Boards, studio: Studio
) -> None:
    html = show(
        boards,
        f"/d/{studio.databases['clients']}?group=%D0%97%D0%B4%D0%BE%D1%80%D0%BE%D0%B2%D1%8C%D0%B5",
    )
    bands = re.findall(
        r'<h2 class="band"><span class="tag tag-\w+">([^<]+)</span><span class="count">(\d+)',
        html,
    )
    assert bands == [("Зелёный", "4"), ("Жёлтый", "4"), ("Красный", "4")]


def test_a_page_prints_its_properties_and_its_blocks(
    boards: Boards, studio: Studio
) -> None:
    html = show(boards, f"/p/{studio.rows['projects'][0]}")
    for wanted in (
        'class="callout bg-yellow"',
        "<blockquote",
        "<details",
        "SELECT client",
        "<hr>",
        '<th scope="col">Месяц</th>',
        'class="li todo done',
        '<span class="mark">2.</span>',
        '<span class="bold">Жирный</span>',
        'href="https://example.com/x"',
    ):
        assert wanted in html, wanted
    assert "СтройИнвест" in html


def test_a_row_is_mentioned_by_the_rows_that_relate_to_it(
    boards: Boards, studio: Studio
) -> None:
    html = show(boards, f"/p/{studio.rows['clients'][0]}").partition(
        'class="backlinks"'
    )[2]
    assert set(re.findall(r'href="/p/([^"]+)"', html)) == {
        studio.rows["projects"][n] for n in (0, 12, 24)
    }


def test_texts_of_people_never_become_markup(boards: Boards, studio: Studio) -> None:
    html = show(boards, f"/p/{studio.rows['projects'][0]}")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


@pytest.mark.parametrize(
    ("step", "headings"),
    [
        ("day", ["Nov 16, 2026", "Nov 18, 2026", "Dec 1, 2026"]),
        ("week", ["Nov 16, 2026", "Nov 30, 2026"]),
        ("month", ["November 2026", "December 2026"]),
        ("year", ["2026"]),
    ],
)
def test_dates_are_grouped_as_finely_as_the_view_asks(
    step: str, headings: list[str]
) -> None:
    small = Small({"When": {"date": {}}})
    for day in ("2026-11-16", "2026-11-18", "2026-12-01"):
        small.add(f"row of {day}", When={"date": {"start": day}})
    when = small.studio.ids("d")["When"]
    small.studio.view(
        "d",
        "board",
        title="By date",
        configuration={
            "type": "board",
            "group_by": {
                "type": "date",
                "property_id": when,
                "group_by": step,
                "sort": {"type": "manual"},
            },
        },
        sorts=[{"property": when, "direction": "ascending"}],
    )
    html = show(small.boards, f"{small.path}?v={small.studio.views['d.board']}")
    found = re.findall(r"<h2[^>]*>(.*?)</h2>", html, re.S)
    assert [" ".join(words_of(one).split()[:-1]) for one in found] == headings


def test_hostile_names_of_properties_options_and_views_are_escaped() -> None:
    small = Small({"<b>p": {"select": options(("<i>o", "red"))}})
    small.add('"><img src=x>', **{"<b>p": {"select": {"name": "<i>o"}}})
    small.studio.view(
        "d",
        "board",
        title="<u>v",
        configuration={
            "type": "board",
            "group_by": {
                "type": "select",
                "property_id": small.studio.ids("d")["<b>p"],
                "sort": {"type": "manual"},
            },
        },
    )
    for path in (
        small.path,
        f"{small.path}?v={small.studio.views['d.board']}&group=%3Cs%3E",
    ):
        html = show(small.boards, path)
        assert not re.search(r"<(b>p|i>o|u>v|img src=x|s>)", html)
        assert "&lt;i&gt;o" in html


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        " JAVASCRIPT:x",
        "java\nscript:x",
        "//x",
        "file:///etc/passwd",
        "vbscript:x",
        "http://[",
        "",
        None,
        7,
    ],
)
def test_links_that_are_not_http_or_mail_are_dropped(url: object) -> None:
    assert safe_href(url) == ""


def test_links_to_notion_pages_lead_to_the_boards() -> None:
    page = "0123456789abcdef0123456789abcdef"
    assert safe_href(f"https://www.notion.so/Title-{page}") == f"/p/{page}"
    assert safe_href(f"https://app.notion.com/p/{page}?v=1") == f"/p/{page}"
    view = page[::-1]
    named = f"https://app.notion.com/p/{page}?v={view}"
    assert safe_href(named) == f"/p/{page}?v={view}"
    assert safe_href(f"https://evil.example/{page}") == f"https://evil.example/{page}"
    assert safe_href("mailto:a@example.com") == "mailto:a@example.com"


def test_the_policy_lets_in_nothing_but_our_own_files(
    boards: Boards, studio: Studio
) -> None:
    response = ask(boards, view(studio, "projects.timeline"))
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "img-src 'self' http://127.0.0.1:8123;" in policy
    assert not re.search(
        r'(src|href)="(https?:)?//(?!example\.com)', response.body.decode()
    )
    assert not re.search(r"<[^>]+\s(style|on\w+)=", response.body.decode())


def test_a_forged_host_cannot_write_into_the_policy(boards: Boards) -> None:
    policy = ask(boards, "/", {"host": "a; script-src *"}).headers[
        "content-security-policy"
    ]
    assert "script-src *" not in policy


def test_reading_the_boards_costs_no_requests_and_leaves_no_log() -> None:
    notion = NotionSandbox(Clock(datetime(2026, 11, 20, 9, tzinfo=UTC)), limit=3)
    boards = make_boards(notion)
    before = notion.revision()
    for _ in range(5):
        assert ask(boards, "/").status == 200
    assert notion.revision() == before
    assert notion.entries() == []


def test_the_viewer_mark_neither_opens_the_door_nor_lets_anyone_write(
    notion: NotionSandbox,
) -> None:
    headers = {
        VIEWER_HEADER: "1",
        "notion-version": "2026-03-11",
        "content-type": "application/json",
    }
    path = f"/v1/pages/{notion.root_page_id}"
    assert notion.handle(Request("GET", path, (), headers)).status == 401
    allowed = headers | {"authorization": f"Bearer {notion.token}"}
    assert (
        notion.handle(Request("PATCH", path, (), allowed, b'{"in_trash":true}')).status
        == 403
    )


def test_the_version_changes_when_and_only_when_what_is_shown_changes() -> None:
    small = Small({})
    page = small.add("before")
    asked = f"/_version?of={small.path}"
    first = ask(small.boards, asked).body
    small.studio.call(
        "POST",
        "/v1/pages",
        {"parent": {"page_id": page}, "properties": {"title": text("elsewhere")}},
    )
    assert ask(small.boards, asked).body == first
    small.studio.call(
        "PATCH", f"/v1/pages/{page}", {"properties": {"Name": {"title": text("after")}}}
    )
    assert ask(small.boards, asked).body != first


def test_an_empty_database_says_so_and_still_shows_its_columns() -> None:
    small = Small({"Amount": {"number": {"format": "dollar"}}})
    html = show(small.boards, small.path)
    assert "No rows yet" in html
    assert '<th class="of-number" scope="col">Amount</th>' in html


def test_long_results_are_clipped_with_a_way_to_see_more() -> None:
    small = Small({})
    for number in range(12):
        small.add(f"row {number}")
    html = show(small.boards, f"{small.path}?rows=5")
    assert html.count("<tr data-id") == 5
    assert "The first 5 rows are shown" in html
    assert "rows=20" in html
    assert "are shown" not in show(small.boards, f"{small.path}?rows=12")


def test_a_result_the_api_cut_is_called_incomplete() -> None:
    def cut(_: Request) -> Response:
        return Response(
            200,
            {},
            b'{"results":[],"has_more":false,"request_status":{"type":"incomplete"}}',
        )

    assert Reader(cut, "t").query("x").incomplete


def test_a_filter_the_api_refuses_is_left_out_and_said() -> None:
    small = Small({"Kind": {"select": options(("A", "red"))}})
    small.add("kept", Kind={"select": {"name": "A"}})
    view_id = small.studio.view(
        "d", "table", title="T", filter={"property": "Kind", "select": {"equals": "A"}}
    )
    small.notion.control(
        "delete_property",
        {"data_source_id": small.studio.sources["d"], "property": "Kind"},
    )
    html = show(small.boards, f"{small.path}?v={view_id}")
    assert "filter or sort was refused" in html
    assert "kept" in html


@pytest.mark.parametrize(
    "path", ["/p/zzz", "/nothing", "/p/" + "0" * 32, "/d/" + "0" * 32, "/d", "/p/x/y"]
)
def test_unknown_addresses_are_a_page_that_says_not_found(
    boards: Boards, path: str
) -> None:
    response = ask(boards, path)
    assert response.status == 404
    assert "Не найдено" in response.body.decode()


def test_a_trashed_row_says_so_on_its_page() -> None:
    small = Small({})
    page = small.add("gone")
    small.studio.call("PATCH", f"/v1/pages/{page}", {"in_trash": True})
    assert "This page is in the trash" in show(small.boards, f"/p/{page}")
    assert "gone" not in show(small.boards, small.path)


def test_rows_without_title_long_titles_and_right_to_left_are_shown() -> None:
    small = Small({})
    small.add("")
    small.add("ж" * 1900)
    small.add("שלום 👩‍👩‍👧‍👦")
    html = show(small.boards, small.path)
    assert "Untitled" in html
    assert "ж" * 1900 in html
    assert "שלום 👩‍👩‍👧‍👦" in html


def test_the_boards_only_read(boards: Boards) -> None:
    assert boards.handle(Request("POST", "/")).status == 405
    assert boards.handle(Request("HEAD", "/")).status == 200


def test_styles_and_scripts_are_served_from_here(boards: Boards) -> None:
    assert (
        ask(boards, "/_static/boards.css")
        .headers["content-type"]
        .startswith("text/css")
    )
    assert ask(boards, "/_static/boards.js").status == 200
    assert ask(boards, "/_static/../site.py").status == 404


def test_blocks_deep_inside_one_another_are_all_shown() -> None:
    small = Small({})
    page = small.add("deep")
    parent = page
    for level in range(4):
        made = small.studio.call(
            "PATCH",
            f"/v1/blocks/{parent}/children",
            {"children": [block("bulleted_list_item", f"level {level}")]},
        )
        parent = made["results"][0]["id"]
    html = show(small.boards, f"/p/{page}")
    assert all(f"level {level}" in html for level in range(4))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"start": "2026-11-05"}, "Nov 5, 2026"),
        ({"start": "2026-11-05", "end": "2026-11-07"}, "Nov 5, 2026 → Nov 7, 2026"),
        ({"start": "2026-11-05T10:30:00.000+03:00"}, "Nov 5, 2026, 10:30"),
        ({"start": "51502-01-01"}, "51502-01-01"),
        (None, ""),
        ({"start": None}, ""),
    ],
)
def test_dates_are_written_for_people_and_garbage_stands_as_it_came(
    value: Json | None, shown: str
) -> None:
    assert date_text(value, speak("en")) == shown
    assert (parse_day(value) is None) == (shown in ("", "51502-01-01"))


def test_a_person_is_shown_by_initials() -> None:
    names = ("Анна Петрова", "x", "Jean Luc Picard", "42", "")
    assert [initials(name) for name in names] == ["АП", "X", "JL", "?", "?"]


def upload(small: Small, name: str, content_type: str, content: bytes) -> str:
    """Upload a file and return its id."""
    made = small.studio.call(
        "POST",
        "/v1/file_uploads",
        {"mode": "single_part", "filename": name, "content_type": content_type},
    )
    head = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    headers = {
        "authorization": f"Bearer {small.notion.token}",
        "notion-version": "2026-03-11",
        "content-type": "multipart/form-data; boundary=x",
    }
    sent = small.notion.handle(
        Request(
            "POST",
            f"/v1/file_uploads/{made['id']}/send",
            (),
            headers,
            head.encode() + content + b"\r\n--x--\r\n",
        )
    )
    assert sent.status == 200, sent.body
    return str(made["id"])


def test_hosted_images_are_shown_from_the_api_and_foreign_ones_are_links() -> None:
    small = Small({})
    file_id = upload(small, "chart.png", "image/png", b"\x89PNG....")
    page = small.studio.row(
        "d",
        {"Name": {"title": text("pictures")}},
        children=[
            {
                "type": "image",
                "image": {"type": "file_upload", "file_upload": {"id": file_id}},
            },
            {
                "type": "image",
                "image": {
                    "type": "external",
                    "external": {"url": "https://example.com/far.png"},
                },
            },
        ],
    )
    html = show(small.boards, f"/p/{page}")
    found = re.search(r'<figure><img src="http://127\.0\.0\.1:8123(/[^"]+)"', html)
    assert found is not None
    served = small.notion.handle(from_parts("GET", unescape(found.group(1)), {}, b""))
    assert (served.status, served.body) == (200, b"\x89PNG....")
    assert '<a href="https://example.com/far.png"' in html
    assert '<img src="https://example.com' not in html


def test_a_fresh_signature_of_the_same_image_is_no_change() -> None:
    small = Small({})
    page = small.studio.row(
        "d",
        {"Name": {"title": text("pictures")}},
        children=[
            {
                "type": "image",
                "image": {
                    "type": "file_upload",
                    "file_upload": {
                        "id": upload(small, "chart.png", "image/png", b"\x89PNG....")
                    },
                },
            }
        ],
    )
    asked = f"/_version?of=/p/{page}"
    first = ask(small.boards, asked).body
    small.notion.control("advance", {"seconds": 60})
    small.studio.call("GET", "/v1/users/me")
    assert ask(small.boards, asked).body == first


def test_icons_may_be_emoji_of_several_code_points() -> None:
    small = Small({})
    page = small.studio.row("d", {"Name": {"title": text("flag")}}, icon="🏴‍☠️")
    assert small.studio.call("GET", f"/v1/pages/{page}")["icon"] == emoji("🏴‍☠️")
    assert "🏴‍☠️" in show(small.boards, small.path)
