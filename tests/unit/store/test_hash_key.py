"""The secret of the store's hashes."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_service.errors import SettingsError
from cds_service.store.hash_key import load_or_create_key, patient_hash, token_hash


def test_makes_a_key_that_only_its_owner_reads_and_keeps_it(tmp_path):
    path = tmp_path / "var" / "hash.key"
    key = load_or_create_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_key(path) == key
    assert [entry.name for entry in path.parent.iterdir()] == ["hash.key"]


def test_two_keys_differ(tmp_path):
    assert load_or_create_key(tmp_path / "a") != load_or_create_key(tmp_path / "b")


def test_workers_that_start_at_once_agree(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: load_or_create_key(tmp_path / "hash.key"), range(32)))
    assert len(keys) == 1


@pytest.mark.parametrize("content", ["", "not hex", "ab12", "zz" * 32])
def test_rejects_a_file_that_is_no_key(tmp_path, content):
    path = tmp_path / "hash.key"
    path.write_text(content)
    with pytest.raises(SettingsError, match="CDS_DATA_DIR"):
        load_or_create_key(path)


def test_rejects_a_place_where_no_key_can_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="CDS_DATA_DIR"):
        load_or_create_key(tmp_path / "file" / "hash.key")


def test_warns_of_a_key_that_others_can_read(tmp_path, caplog):
    path = tmp_path / "hash.key"
    load_or_create_key(path)
    path.chmod(0o644)
    load_or_create_key(path)
    assert [record.message for record in caplog.records] == ["hash_key_readable_by_others"]


def test_patient_hash_depends_on_key_client_tenant_and_patient():
    def hashed(key=b"a" * 32, client="c", tenant="t", patient="p"):
        return patient_hash(key, client=client, tenant=tenant, patient_id=patient)

    variants = [
        hashed(),
        hashed(key=b"b" * 32),
        hashed(client=None),
        hashed(tenant="u"),
        hashed(patient="q"),
        hashed(client="ct", tenant=""),
    ]
    assert len(set(variants)) == len(variants)
    assert hashed() == hashed()


def test_token_hash_keeps_issuer_and_id_apart():
    assert token_hash("ab", "c") != token_hash("a", "bc")
