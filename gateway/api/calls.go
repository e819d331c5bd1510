package api

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"rempart/message"
	"rempart/message/call"
)

// Called takes the records of calls that ended.
type Called func([]message.CallRecord)

type recordsInput struct{ RawBody []byte }

type recordsOutput struct {
	Body struct {
		Taken int `json:"taken" doc:"how many records"`
	}
}

// takeRecords takes all records or none. A tenant's token may not: what is told of a caller speaks in every tenant's
// verdicts.
func (a *API) takeRecords(ctx context.Context, in *recordsInput) (*recordsOutput, error) {
	if t := tokenOf(ctx); t.Tenant != "" {
		return nil, huma.Error403Forbidden(fmt.Sprintf("token %q is tenant %q's: use one without a tenant", t.Name, t.Tenant))
	}
	all, _, err := decodeBatch[call.Record](in.RawBody)
	if err != nil {
		return nil, err
	}
	records := make([]message.CallRecord, len(all))
	for i, r := range all {
		if records[i], err = r.Message(); err != nil {
			return nil, huma.Error400BadRequest(err.Error())
		}
	}
	a.called(records)
	out := &recordsOutput{}
	out.Body.Taken = len(records)
	return out, nil
}
