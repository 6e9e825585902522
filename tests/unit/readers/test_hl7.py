"""HL7 v2: what a message says, by hand from the standard's field numbers, and how senders depart from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from etl.readers.base import Hints, Source, Table
from etl.readers.hl7 import COLUMNS, Hl7Reader
from schemas.errors import SourceUnreadable

MSH = r"MSH|^~\&|LAB|H|ETL|S|20210306||ORU^R01|1|P|2.5.1"
PID = "PID|1||1001^^^H^MR||DOE^J||19601231|F"
OBR = "OBR|1|P7|F7|PAN^Haematinics^L|||20210305081200|||||||||||||||20210306090000||CH|F"
B12 = "OBX|1|NM|2132-9^Vitamin B12^LN||145|pmol/L|138-652|N|||F"


@dataclass
class Read:
    """A source that was inspected and read."""

    table: Table
    frame: pl.DataFrame
    damaged: pl.DataFrame

    def row(self, index: int = 0) -> dict[str, str]:
        """Return what a record says, empty roles left out."""
        return {name: value for name, value in self.frame.row(index, named=True).items() if value is not None}

    def reasons(self) -> list[tuple[str, str]]:
        return list(self.damaged.select("locator", "reason").iter_rows())


Reading = Callable[..., Read]


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    def reading(*segments: str | bytes, end: bytes = b"\r", hints: Hints | None = None, **sizes: int) -> Read:
        raw = b"".join(
            (each if isinstance(each, bytes) else each.encode()) + (end or b"") for each in segments
        )
        path = tmp_path / "labs.hl7"
        path.write_bytes(raw)
        return read_path(path, hints, **sizes)

    return reading


def read_path(path: Path, hints: Hints | None = None, **sizes: int) -> Read:
    reader, source = Hl7Reader(**sizes), Source(path)
    (table,) = reader.inspect(source, hints or Hints())
    batches = [batch for part in table.ranges for batch in reader.read(source, table, part, table.columns)]
    read = Read(table, pl.concat(b.frame for b in batches), pl.concat(b.damaged for b in batches))
    assert table.lines == table.records + table.continuation + sum(table.structural.values())
    assert table.records == read.frame.height + read.damaged.height
    assert table.damaged == read.damaged.height
    return read


def test_a_result_says_what_its_message_says(read: Reading) -> None:
    found = read(
        MSH,
        PID,
        OBR,
        "OBX|1|NM|2132-9^Vitamin B12^LN||145|pmol/l^^L|138-652|L~A|||C|||20210305080000|LB1^Central lab^L||"
        "AR^CMIA^L|ARC-77^ARCHITECT|20210306",
        "NTE|1|L|Repeated",
    )
    assert found.row() == {
        "subject": "1001",
        "birth_date": "1960-12-31",
        "sex": "F",
        "analyte": "Vitamin B12",
        "code": "2132-9",
        "code_system": "loinc",
        "category": "Haematinics",
        "value": "145",
        "unit": "pmol/l",
        "ref_text": "138-652",
        "flag": "L~A",
        "collected_at": "2021-03-05 08:00:00",  # OBX-14 before OBR-7
        "resulted_at": "2021-03-06 09:00:00",  # OBR-22 before OBX-19
        "source_id": "F7/1",  # the filler's number before the placer's, and the set id
        "status": "C",
        "lab_id": "Central lab",
        "method": "CMIA",
        "platform": "ARC-77",
        "comment": "Repeated",
        "row_number": 4,
        "locator": "msg1/OBX[1]",
    }
    assert found.frame.columns == [*COLUMNS, "row_number", "locator"]
    assert found.table.structural == {"MSH": 1, "NTE": 1, "OBR": 1, "PID": 1}


def test_what_the_result_leaves_out_the_order_says(read: Reading) -> None:
    row = read(MSH, PID, "OBR|1|P7||PAN|||20210305|||||||||||||||||CH|P", "OBX||ST|x^Iron||12").row()
    assert row["collected_at"] == "2021-03-05"
    assert row["status"] == "P"
    assert row["source_id"] == "P7/"
    assert row["category"] == "PAN"


@pytest.mark.parametrize(
    ("kind", "given", "value", "comparator"),
    [
        ("NM", "145", "145", None),
        ("NM", "<150", "<150", None),
        ("SN", "<^150", "150", "<"),
        ("SN", ">^^2000", "2000", ">"),
        ("SN", ">=^20.3", "20.3", ">="),
        ("SN", "^5^-^10", "5-10", None),
        ("SN", "^1^:^128", "1:128", None),
        ("SN", "^2^+", "2+", None),
        ("SN", "=^7", "7", "="),
        ("SN", ">", ">", None),
        ("SN", ">^", ">", None),  # no number: the sign alone is kept, to be held
        ("NM", "<^150", "150", "<"),  # structured under a wrong type
        ("ST", "<^150", "150", "<"),
        ("ST", "see^below", "see^below", None),
        ("CE", "260385009^Negative^SCT", "Negative", None),
        ("CWE", "^^^^^^^^>2000", ">2000", None),
        ("CWE", "<30", "<30", None),
        ("CE", "A^a~B^b", "A^a~B^b", None),  # two codes are not one value
        ("NM", "27~25", "27~25", None),
        ("TX", "first~second", "first\nsecond", None),
        ("FT", r"first\.br\second", "first\nsecond", None),
        ("NM", '""', None, None),
        ("NM", "", None, None),
        ("", "3", "3", None),
        ("ED", "^TEXT^PDF^Base64", "^TEXT^PDF^Base64", None),
    ],
)
def test_value_types(read: Reading, kind: str, given: str, value: str | None, comparator: str | None) -> None:
    row = read(MSH, PID, OBR, f"OBX|1|{kind}|x^Name||{given}|u|||||F").row()
    assert (row.get("value"), row.get("comparator")) == (value, comparator)


@pytest.mark.parametrize(
    ("coding", "code", "system", "analyte"),
    [
        ("2132-9^Cobalamin^LN", "2132-9", "loinc", "Cobalamin"),
        ("VB12^Vit. B12^L^2132-9^Cobalamin^LN", "2132-9", "loinc", "Vit. B12"),
        ("2132-9^Cobalamin^LN^VB12^Vit. B12^L", "2132-9", "loinc", "Cobalamin"),
        ("VB12^^L^2132-9^Cobalamin^LN", "2132-9", "loinc", "Cobalamin"),
        ("VB12^Vit. B12^99LAB", "VB12", "99LAB", "Vit. B12"),
        ("a^A^L^b^B^L^^^^2132-9^C^LN", "2132-9", "loinc", "A"),
        ("2132-9^^ln", "2132-9", "loinc", None),
        ("VB12", "VB12", None, "VB12"),
        ("^Vitamin B12", None, None, "Vitamin B12"),
        ("^^^2132-9^Cobalamin^LN", "2132-9", "loinc", "Cobalamin"),
    ],
)
def test_loinc_wins_as_code_and_the_senders_name_as_name(
    read: Reading, coding: str, code: str | None, system: str | None, analyte: str | None
) -> None:
    row = read(MSH, PID, OBR, f"OBX|1|NM|{coding}||1|u|||||F").row()
    assert (row.get("code"), row.get("code_system"), row.get("analyte")) == (code, system, analyte)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"\X41\\X0D0A\z", "A\r\nz"),
        (r"\H\bold\N\ text", "bold text"),
        (r"a\.sp2\b\.in+4\c", "a\nbc"),
        (r"\Zsite\kept", r"\Zsite\kept"),
        (r"C:\path", r"C:\path"),
        (r"\E\F\E\ ", r"\F\ "),  # what an escape yields is not read again
    ],
)
def test_escapes(read: Reading, given: str, text: str) -> None:
    assert read(MSH, PID, OBR, f"OBX|1|ST|x^N||{given}|u|||||F").row()["value"] == text


@pytest.mark.parametrize(
    ("given", "iso"),
    [
        ("20210305081206.1234+0100", "2021-03-05 08:12:06.1234+0100"),
        ("20210305081206", "2021-03-05 08:12:06"),
        ("202103050812-0215", "2021-03-05 08:12-0215"),
        ("20210305", "2021-03-05"),
        ("202103", "2021-03"),
        ("2021", "2021"),
        ("20210305^S", "2021-03-05"),
        ("05.03.2021 08:12", "05.03.2021 08:12"),  # no HL7 time: left to the column's date order
    ],
)
def test_times_become_iso_with_their_precision(read: Reading, given: str, iso: str) -> None:
    assert read(MSH, PID, OBR, f"OBX|1|NM|x^N||1|u|||||F|||{given}").row()["collected_at"] == iso


def test_the_header_says_which_characters_separate(read: Reading) -> None:
    found = read(
        "MSH$*@!%$LAB$$$$$$ORU*R01$1",
        "PID$1$$7*H@8*H$$$$1960$M",
        "OBX$1$SN$2132-9*B12 !T! x*LN$$<*83$pg/mL",
        MSH,
        PID,
        OBR,
        B12,
    )
    assert found.frame.select("subject", "code", "analyte", "comparator", "value", "unit").rows() == [
        ("7", "2132-9", "B12 % x", "<", "83", "pg/mL"),
        ("1001", "2132-9", "Vitamin B12", None, "145", "pmol/L"),
    ]


def test_a_doubled_encoding_character_is_one(read: Reading) -> None:
    row = read(MSH.replace("^~\\&", "^~\\\\&"), PID, OBR, "OBX|1|ST|x^N||a\\T\\b|u|||||F").row()
    assert row["value"] == "a&b"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n"], ids=["cr", "lf", "crlf", "crcrlf"])
def test_any_line_end(read: Reading, end: bytes) -> None:
    found = read(MSH, PID, OBR, B12, B12.replace("OBX|1", "OBX|2"), end=end)
    assert found.frame["value"].to_list() == ["145", "145"]
    blank = 5 if end == b"\r\r\n" else 0
    assert found.table.structural.get("blank", 0) == blank
    assert found.table.lines == 5 + blank


def test_transport_framing_and_byte_order_marks_are_no_text(read: Reading) -> None:
    message = b"\x0b" + f"{MSH}\r{PID}\r{OBR}\r{B12}".encode() + b"\r\x1c\r"
    found = read(message, b"\xef\xbb\xbf" + message, end=b"")
    assert found.frame["locator"].to_list() == ["msg1/OBX[1]", "msg2/OBX[1]"]
    assert found.frame["subject"].to_list() == ["1001", "1001"]


def test_a_line_end_written_as_two_characters_is_no_text(read: Reading) -> None:
    row = read(MSH + r'\r"', PID + r"\r", OBR, B12 + "|||20210305" + r"\r", end=b"\n").row()
    assert (row["sex"], row["collected_at"]) == ("F", "2021-03-05")


def test_a_batch_has_headers_and_trailers(read: Reading) -> None:
    found = read("FHS|^~\\&|LAB", "BHS|^~\\&|LAB", MSH, PID, OBR, B12, MSH, PID, OBR, B12, "BTS|2", "FTS|1")
    assert found.frame["locator"].to_list() == ["msg1/OBX[1]", "msg2/OBX[1]"]
    assert found.table.structural == {"BHS": 1, "BTS": 1, "FHS": 1, "FTS": 1, "MSH": 2, "OBR": 2, "PID": 2}


def test_every_result_belongs_to_the_subject_and_order_above_it(read: Reading) -> None:
    second = PID.replace("1001", "1002")
    found = read(MSH, PID, OBR, B12, second, B12, OBR.replace("F7", "F8"), B12)
    assert found.frame.select("subject", "source_id").rows() == [
        ("1001", "F7/1"),
        ("1002", None),
        ("1002", "F8/1"),
    ]


def test_an_order_without_results_is_one_candidate(read: Reading) -> None:
    found = read(MSH, PID, OBR, B12, OBR.replace("F7", "F8").replace("|F", "|I").replace("|I8", "|F8"))
    assert found.frame["locator"].to_list() == ["msg1/OBX[1]", "msg1/OBR[2]"]
    row = found.row(1)
    assert (row["analyte"], row["code"], row["code_system"]) == ("Haematinics", "PAN", "L")
    assert "value" not in row
    assert row["row_number"] == 5
    assert found.table.structural == {"MSH": 1, "OBR": 1, "PID": 1}


def test_specimens_follow_their_order(read: Reading) -> None:
    found = read(
        MSH, PID,
        OBR, B12, "SPM|1|||SER^Serum^HL70487|||||||||||||20210305075900",
        OBR.replace("20210305081200", ""), B12, "SPM|1|||PLAS|||||||||||||20210305075900",
        "OBR|3||F9|x|||||||||||UR&Urine&HL70070^more", B12,
        OBR, B12, "SPM|1|||SER", "SPM|2|||UR",
    )  # fmt: skip
    assert found.frame["specimen"].to_list() == ["Serum", "PLAS", "Urine", None]
    assert found.frame["collected_at"].to_list() == [
        "2021-03-05 08:12:00",
        "2021-03-05 07:59:00",  # SPM-17 where neither result nor order says
        None,
        "2021-03-05 08:12:00",
    ]


def test_specimens_come_first_in_specimen_oriented_messages(read: Reading) -> None:
    found = read(
        MSH.replace("ORU^R01", "OUL^R22"), PID, "SPM|1|||SER", OBR, B12, OBR, B12, "SPM|2|||UR", OBR, B12,
    )  # fmt: skip
    assert found.frame["specimen"].to_list() == ["SER", "SER", "UR"]


def test_notes_belong_to_the_segment_above_them(read: Reading) -> None:
    found = read(
        MSH, PID, "NTE|1||on the subject", OBR, "NTE|1||haemolysed", B12, "NTE|1||a~b", "NTE|2||c", B12
    )
    assert found.frame["comment"].to_list() == ["haemolysed\na\nb\nc", "haemolysed"]


def test_an_observation_instance_is_the_source_id(read: Reading) -> None:
    assert read(MSH, PID, OBR, B12 + "||||||||||EI21^H").row()["source_id"] == "EI21"


def test_wrapped_lines_continue_their_segment(read: Reading) -> None:
    found = read(
        MSH, PID, OBR,
        "OBX|1|TX|x^Report||first line", "second line", "", "third||||||F|||20210305",
        "OBX|2|NM|2132-9^B12^LN||145|pmol/", "L|138-652||||F",
        end=b"\n",
    )  # fmt: skip
    assert found.frame["value"].to_list() == ["first line\nsecond line\nthird", "145"]
    assert found.frame["status"].to_list() == ["F", "F"]
    assert found.frame["row_number"].to_list() == [4, 8]
    assert (found.table.continuation, found.table.structural["blank"]) == (3, 1)


@pytest.mark.parametrize(
    "broken",
    [
        "OB|2|NM|2132-9^B12^LN||300|pg/mL",
        "|2|NM|2132-9^B12^LN||300",
        "obx|2|NM|x||1",
        "OBX|2|NM|2132-9",
        "OBX",
    ],
)
def test_a_broken_result_is_held_and_the_message_stays(read: Reading, broken: str) -> None:
    found = read(MSH, PID, OBR, B12, broken, B12)
    assert found.reasons() == [("msg1/OBX[2]", "broken_segment")]
    assert found.damaged["raw"].to_list() == [broken.encode()]
    assert found.damaged["row_number"].to_list() == [5]
    assert found.frame["locator"].to_list() == ["msg1/OBX[1]", "msg1/OBX[3]"]


def test_a_result_behind_its_order_is_not_swallowed_by_it(read: Reading) -> None:
    found = read(MSH, PID, OBR, "OBX2|1|NM|2132-9^B12^LN||300|pg/mL")
    assert found.reasons() == [("msg1/OBX[1]", "broken_segment")]


def test_behind_a_broken_subject_nobody_is_taken_for_it(read: Reading) -> None:
    found = read(MSH, PID, OBR, B12, "PI|1||1002^^^H||ROE^R||1970|M", OBR, B12, PID, OBR, B12)
    assert found.reasons() == [("msg1/OBX[2]", "broken_segment"), ("msg1/OBX[3]", "no_subject")]
    assert found.frame["locator"].to_list() == ["msg1/OBX[1]", "msg1/OBX[4]"]


def test_a_message_without_its_patient_is_held_once_per_result(read: Reading) -> None:
    found = read(MSH, OBR, B12, B12, MSH, PID, OBR, B12)
    assert found.reasons() == [("msg1/OBX[1]", "no_subject"), ("msg1/OBX[2]", "no_subject")]
    assert found.frame["locator"].to_list() == ["msg2/OBX[1]"]


def test_a_subject_without_a_number_is_nobody(read: Reading) -> None:
    found = read(MSH, "PID|1||^^^H||DOE", OBR, B12)
    assert "subject" not in found.row()


@pytest.mark.parametrize("header", ["MSH|", "MSH", "MSH||LAB", "MSH|abc|LAB"])
def test_a_broken_header_holds_its_message_not_the_batch(read: Reading, header: str) -> None:
    found = read(MSH, PID, OBR, B12, header, PID.replace("1001", "1002"), OBR, B12, MSH, PID, OBR, B12)
    assert found.reasons() == [("msg2/OBX[1]", "broken_message")]
    assert found.frame["locator"].to_list() == ["msg1/OBX[1]", "msg3/OBX[1]"]


def test_a_broken_header_alone_is_held_itself(read: Reading) -> None:
    found = read(MSH, PID, OBR, B12, "MSH|", "PID|1||1002")
    assert found.reasons() == [("msg2", "broken_message")]


def test_results_before_any_header_are_held(read: Reading) -> None:
    found = read("FHS|^~\\&|LAB", PID, OBR, B12, MSH, PID, OBR, B12)
    assert found.reasons() == [("msg0/OBX[1]", "broken_message")]


def test_a_header_glued_to_a_result_begins_a_message(read: Reading) -> None:
    found = read(MSH, PID, OBR, "OBX|1|NM|x^N||30" + MSH, OBR, B12, PID, B12)
    assert [reason for _, reason in found.reasons()] == ["broken_segment", "no_subject"]
    assert found.frame["subject"].to_list() == ["1001"]


def test_a_value_cut_by_the_end_of_the_file_is_held(read: Reading) -> None:
    whole = f"{MSH}\r{PID}\r{OBR}\r{B12}"
    assert read(whole, end=b"").frame["value"].to_list() == ["145"]
    cut = read(whole[: whole.index("|pmol") - 1], end=b"")
    assert cut.reasons() == [("msg1/OBX[1]", "broken_segment")]
    assert read(whole[: whole.index("|pmol") - 1]).frame["value"].to_list() == ["14"]  # its line is whole


def test_nul_bytes_hold_the_result(read: Reading) -> None:
    assert read(MSH, PID, OBR, B12.replace("145", "1\x0045"), B12).reasons() == [
        ("msg1/OBX[1]", "control_bytes")
    ]


def test_text_before_the_first_segment_is_preamble(read: Reading) -> None:
    found = read("Export of March", MSH, PID, OBR, B12)
    assert found.table.structural["preamble"] == 1


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [
        ("utf-8", "ASCII"),
        ("cp1252", "UNICODE UTF-8"),
        ("gb18030", ""),
        ("cp932", "8859/1"),
        ("utf-8-sig", ""),
    ],
)
def test_the_content_tells_the_encoding_whatever_the_header_says(
    read: Reading, encoding: str, charset: str
) -> None:
    name = {"gb18030": "维生素B12测定", "cp932": "ビタミンB12検査"}.get(
        encoding, "Cobalamin (Nüchternwert, µg/l, größer)"
    )
    header = MSH + "||||||" + charset
    raw = "\r".join((header, PID, OBR, f"OBX|1|NM|B12^{name}^L||145|pmol/L|||||F", "")).encode(encoding)
    found = read(raw, end=b"")
    assert found.row()["analyte"] == name
    stated = {f"stated_{charset}": 1} if charset else {}
    assert stated.items() <= found.table.decisions[0].evidence.items()


def test_japanese_character_set_switches(read: Reading) -> None:
    """JIS X 0208 by escape sequences (MSH-18 ISO IR87); its second bytes contain `|`."""
    name = "血糖値（随時）"
    assert b"|" in name.encode("iso2022_jp")
    raw = "\r".join((MSH, PID, OBR, f"OBX|1|NM|B12^{name}^L||145|pmol/L|||||F", "")).encode("iso2022_jp")
    assert read(raw, end=b"").row()["analyte"] == name


def test_a_declared_encoding_wins_and_must_hold(read: Reading) -> None:
    lines = [each.encode("cp1252") for each in (MSH, PID, OBR, B12.replace("Vitamin", "Vitämin"))]
    assert read(*lines, hints=Hints(encoding="cp850")).row()["analyte"] == "VitΣmin B12".replace(
        "Σ", b"\xe4".decode("cp850")
    )
    with pytest.raises(SourceUnreadable, match="not valid utf-8"):
        read(*lines, hints=Hints(encoding="utf-8"))


def test_an_undecodable_result_is_held(read: Reading) -> None:
    good = B12.replace("Vitamin", "Vitämin").encode()
    found = read(MSH, PID, OBR, *[good] * 9, good.replace("ä".encode(), b"\x81\xff"), good)
    assert found.reasons() == [("msg1/OBX[10]", "undecodable_line")]


def test_block_and_range_sizes_change_nothing(read: Reading) -> None:
    segments = []
    for number in range(60):
        segments += [MSH, PID.replace("1001", str(number)), OBR, B12, "wrapped", "OB|1|NM|x||1", "NTE|1||n"]
        segments += ["MSH melanocyte"] * (number % 3) + ["MSH|"] * (number % 5 == 0)
    large = read(*segments)
    small = read(*segments, block=300, range=700)
    assert len(small.table.ranges) > 10
    assert small.frame.equals(large.frame)
    assert small.damaged.equals(large.damaged)
    assert small.table.structural == large.table.structural
    assert large.frame["subject"].n_unique() == 60


def test_only_the_columns_asked_for_are_read_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "labs.hl7"
    path.write_text(f"{MSH}\r{PID}\r{OBR}\r{B12}\rOBX|2|NM|x^N\r")
    shown = []
    reader, source = Hl7Reader(), Source(path)
    (table,) = reader.inspect(source, Hints(), lambda columns: (["value", "birth_date"], shown.append))
    assert [frame.rows() for frame in shown] == [[("145", "1960-12-31", 4)]]
    assert shown[0].columns == ["value", "birth_date", "row_number"]
    (batch,) = reader.read(source, table, table.ranges[0], ["unit"])
    assert batch.frame.columns == ["unit", "row_number", "locator"]
    assert batch.frame.select(reader.locate(table, "unit")).rows() == [("msg1/OBX[1]",)]


def test_gzip_is_read_in_one_range(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "labs.hl7.gz"
    path.write_bytes(gzip.compress("\r".join([MSH, PID, OBR, B12] * 50).encode()))
    found = read_path(path, block=3000, range=3000)
    assert (found.frame.height, len(found.table.ranges)) == (50, 1)


@pytest.mark.parametrize(
    ("head", "is_known"),
    [
        (b"MSH|^~\\&|", True),
        (b"\xef\xbb\xbfMSH|^~\\&|", True),
        (b"\x0bMSH|", True),
        (b"\r\nFHS|^~\\&|", True),
        (b"MSH$%~\\&$x", True),
        ("MSH|^~\\&|".encode("utf-16"), True),
        (b"MSH,LH,FSH\n1,2,3", False),
        (b"name|MSH|\n", False),
        (b"{}", False),
        (b"", False),
    ],
)
def test_recognised_by_the_first_segment(head: bytes, is_known: bool) -> None:
    assert Hl7Reader().recognises("x.txt", head) is is_known


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "labs.hl7"
    for content, what in (
        (b"", "empty"),
        ("MSH|^~\\&|LAB|\rPID|1".encode("utf-16"), "cannot be read as HL7"),
    ):
        path.write_bytes(content)
        with pytest.raises(SourceUnreadable, match=what):
            Hl7Reader().inspect(Source(path), Hints())


def test_a_message_without_end_is_refused(read: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.readers.hl7_scan.LONGEST_LINE", 1000)
    with pytest.raises(SourceUnreadable, match="is no series of HL7"):
        read(MSH, PID, OBR, *[B12] * 100, MSH, block=100)
