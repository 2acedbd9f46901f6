"""Ways round the firewall that were found in sigfw itself, each by the octets that showed it.

The message itself was let through where its plain encoding, or its plain half, was dropped. The octets are made, with
numbers kept for fiction; tshark and pycrate read what the titles say. X.690 8.7.3 lets an OCTET STRING be constructed.
"""

from pathlib import Path

import pytest

from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load

POLICY = Path(__file__).parents[2] / "configs" / "policies" / "interconnect.yaml"

FOUND = {
    "a gsmSCF-Address as constructed OCTET STRING, stepped over by the older form of the argument": (
        "0980030e190b12070012044477000900320b120600110416945107510681627f48047fd92d5f6b1e281c060700118605010101a011600f"
        "80020780a1090607040000010010036c57a155020101020107304d800800014650616862f08107911694510751f982010a830100a60904"
        "0111040121040122a708a306040141840105ad1da01b301630140a0102020107a009040791994902000022810101800102"
    ),
    "updateGprsLocation amid a dialogue, its sgsn-Number constructed, left to be a CAP operation": (
        "0980030e190b12060012044477000900010b12950012049949020000223865364804ce597961490468e9338b6c28a12602010102011730"
        "1e040800016179309007f12409040791994902000022040504cb007101a000"
    ),
    "a SIM download whose IMSI is constructed, in a dialogue without ACN": (
        "0980030e190b12080012044477000900330b12080012049949020000935465524804ce597961490468e9338b6c44a14202010102012c30"
        "3aa00a040800019186072685f58407919949020000930423440c914477000910347ff66211120300000010027000000000000000000000"
        "00000000"
    ),
    "sendRoutingInfoForGprs amid a dialogue without its ggsn-Number, left to be a CAP operation": (
        "0980030e190b12060012044477000900110b12930012049949020000222465224804bfe3caf5490437f37ffb6c14a11202010102011830"
        "0a800800016179309007f1"
    ),
    "a SIM download behind whose TP-PID a second short message stood": (
        "0980030e190b12080012044477000900030b1208001204994902000022af6281ac480437ce91cb6b1e281c060700118605010101a01160"
        "0f80020780a1090607040000010019036c8183a14002010102012c3038800800016179309007f18407919949020000220423440c914477"
        "000910347ff6621112030000001002700000000000000000000000000000a13f02010202012c3037800800016179309007f18407919949"
        "020000220422040c9144770009103400006211120300000011c8329bfd0699e5ef36282c96bfc364"
    ),
    "mo-forwardSM under the context of mt-forwardSM": (
        "0980030e190b12080012044477000900130b12080012049949020000226562634804665c6f206b1e281c060700118605010101a011600f"
        "80020780a1090607040000010019026c3ba13902010102012e3031840791447700090033820791447700097023041d11000c9144770009"
        "10340000a711c8329bfd0699e5ef36282c96bfc364"
    ),
    "unstructuredSS-Request to our subscriber, the MAP-OpenInfo in an octet-aligned EXTERNAL": (
        "0980030e190b12070012044477000900020b12060011042120550511056c626a4804553223a66b432841060700118605010101a0366034"
        "80020780a109060704000001001302be2328210607040000010101018116a01480099600016179309007f18107912120550511f56c1da1"
        "1b02010102013c301304010f040eaa180da682dd6c31192d36bbdd46"
    ),
    "a SIM download that names nobody, by noSM-RP-DA amid a dialogue": (
        "0980030e190b12080012044477000900030b12080012049949020000224a65484804305174004904b918ebf86c3aa13802010102012c30"
        "3085008407919949020000220423440c914477000910347ff6621112030000001002700000000000000000000000000000"
    ),
    "our own GT's digits under numbering plan E.212": (
        "0980030e190b12060012044477000900210b1206006204447700090021496247480437ce91cb6b1e281c060700118605010101a011600f"
        "80020780a1090607040000010014036c1fa11d02010102012d30158007914477000980708101ff820791994902000093"
    ),
}
GLOBAL_ATI = (
    "0980030e190b12060012044477000900310b12930012049949020000934e624c48047738a5c66b1e281c060700118605010101a011600f8002"
    "0780a109060704000001001d036c24a122020101060147301aa009810791447700093055a10480008100830791994902000093"
)


def test_rule_on_an_opcode_takes_the_global_form_too(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "schema: 1\nname: p\nexceptions: {default: allow}\nrules:\n  - {id: ati, when: {opcode: 71}, action: drop}\n"
    )
    verdicts = Worker().judge(compile_policy(load(path)), Stream("found"), Batch([bytes.fromhex(GLOBAL_ATI)], "sccp"))
    assert verdicts.counts == {("drop", "rule", "ati"): 1}


@pytest.mark.parametrize("octets", FOUND.values(), ids=FOUND.keys())
def test_way_round_that_was_found_is_closed(octets: str) -> None:
    tables = compile_policy(load(POLICY))
    verdicts = Worker().judge(tables, Stream("found"), Batch([bytes.fromhex(octets)], "sccp"))
    assert {action for action, _, _ in verdicts.counts} == {"drop"}, verdicts.lines()
