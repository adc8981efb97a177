package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/traffic"
)

// restKind is a kind of request of the dialect beside the list.
type restKind struct {
	name    string
	request []byte
}

// kinds are the other kinds of request. What they ask for must be there: whoever sends them wants an answer and no refusal.
func (s *restStage) kinds() ([]restKind, error) {
	address := s.sealed.address
	read, failed := firstRow(s.answer)
	body, err := traffic.Ask(address, traffic.Get(address, restPath+"&limit=1", s.writer))
	failed = errors.Join(failed, err)
	written, err := firstRow(body)
	if failed = errors.Join(failed, err); failed != nil {
		return nil, failed
	}
	upsert := fmt.Sprintf(`{"id":"%s","tenant_id":"%s","title":"Prompt","body":"Summarise the report in two sentences."}`, written, tenantID(restWriter))
	kinds := []restKind{
		{nameRestMany, traffic.Get(address, restPath, s.collector)},
		{nameRestPost, traffic.Post(address, "/rest/v1/prompts", s.writer, s.insertion)},
		{
			"GET /rest/v1/prompts, one by its id",
			traffic.WithHeader(traffic.Get(address, restPath+"&id=eq."+read.String(), s.token), "Accept", "application/vnd.pgrst.object+json"),
		},
		{"GET /rest/v1/prompts, 48 rows with their organization", traffic.Get(address, "/rest/v1/prompts?select=id,title,body,organizations(name,slug)&order=title", s.token)},
		{
			"POST /rest/v1/prompts, a row that is there",
			traffic.WithHeader(traffic.Post(address, "/rest/v1/prompts", s.writer, upsert), "Prefer", "resolution=merge-duplicates"),
		},
		{"POST /rest/v1/rpc/get_user_tenant_id", traffic.Post(address, "/rest/v1/rpc/get_user_tenant_id", s.token, "{}")},
	}
	for _, k := range kinds {
		if _, err := traffic.Ask(address, k.request); err != nil {
			return nil, fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return kinds, nil
}

// firstRow is the id of the first row of an answer.
func firstRow(answer []byte) (uuid.UUID, error) {
	var rows []struct{ ID uuid.UUID }
	if err := json.Unmarshal(answer, &rows); err != nil {
		return uuid.Nil, err
	}
	if len(rows) == 0 {
		return uuid.Nil, errors.New("no row is there")
	}
	return rows[0].ID, nil
}
