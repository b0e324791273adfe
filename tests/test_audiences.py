"""Who asks decides which records a list may show."""


def test_a_list_of_several_statuses_is_answered_to_everyone(client, contributor, editor, incident):
    """Alternatives of `status` and the rule of who may see what meet in one statement."""
    client.post("/api/v1/incidents", json=incident(city="Lviv"), headers=contributor)
    client.post("/api/v1/incidents", json=incident(), headers=editor)
    for headers, number in ((None, 1), (contributor, 2), (editor, 2)):
        for sort in ("-date", "arrests"):
            address = f"/api/v1/incidents?status=draft,published,withdrawn&sort={sort}"
            answer = client.get(address, headers=headers)
            assert (answer.status_code, len(answer.json["data"])) == (200, number)
