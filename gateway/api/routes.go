package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"rempart/gateway"
	"rempart/message/call"
)

// routes registers the operations. Bodies that come in several forms are read by hand; their forms are written into the
// document afterwards, since huma would otherwise read them by one of them.
func (a *API) routes(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas
	large := a.cfg().MaxSize/3*4 + 64<<10 // base64, and the envelope
	operation := func(id, path, right, summary, description string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Description: description,
			Security: []map[string][]string{{"token": {}}}, Middlewares: huma.Middlewares{a.allow(api, right)},
			MaxBodyBytes: large, BodyReadTimeout: gateway.BodyTimeout,
			Errors: []int{400, 401, 403, 413, 415, 503},
		}
	}

	huma.Register(api, operation("judge-email", "/v1/judge/email", RightJudge, "Judge a mail",
		"The body is the mail itself (message/rfc822) with its envelope in the query, or JSON with both."), a.judgeEmail)
	accepts(api, "/v1/judge/email", map[string]*huma.Schema{
		"message/rfc822":   {Type: "string", Format: "binary"},
		"application/json": schemas.Schema(reflect.TypeFor[emailRequest](), true, "EmailRequest"),
	})

	batch := func(path, title string, of reflect.Type) {
		one, most := schemas.Schema(of, true, title), maxBatch
		accepts(api, path, map[string]*huma.Schema{
			"application/json": {OneOf: []*huma.Schema{one, {Type: "array", Items: one, MaxItems: &most}}},
		})
	}
	const objectOrArray = "An object is one and is answered by one verdict; an array is up to 1000 and is answered by as many, in their order."
	huma.Register(api, operation("judge-sms", "/v1/judge/sms", RightJudge, "Judge one text or many", objectOrArray), a.judgeSMS)
	batch("/v1/judge/sms", "SMS", reflect.TypeFor[text]())
	huma.Register(api, operation("judge-call", "/v1/judge/call", RightJudge, "Judge one call or many", objectOrArray), a.judgeCall)
	batch("/v1/judge/call", "Call", reflect.TypeFor[phoneCall]())
	huma.Register(api, operation("judge-im", "/v1/judge/im", RightJudge, "Judge one instant message or many", objectOrArray), a.judgeIM)
	batch("/v1/judge/im", "IM", reflect.TypeFor[instantMessage]())

	huma.Register(api, operation("calls", "/v1/calls", RightJudge, "Tell how calls ended",
		"A call-detail record or an array of up to 1000, all taken or none. How a caller's calls end speaks for or against the next ones."), a.takeRecords)
	batch("/v1/calls", "CallRecord", reflect.TypeFor[call.Record]())

	huma.Register(api, operation("learn", "/v1/learn", RightLearn, "Teach that a message is spam or ham",
		"The answer is its probability before and after. A second lesson on the same message takes the first one back."), a.teach)

	huma.Register(api, huma.Operation{OperationID: "ping", Method: http.MethodGet, Path: "/v1/ping", Summary: "Is the front door open?"}, a.ping)
}

// accepts documents what an operation reads.
func accepts(api huma.API, path string, forms map[string]*huma.Schema) {
	body := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	for contentType, schema := range forms {
		body.Content[contentType] = &huma.MediaType{Schema: schema}
	}
	api.OpenAPI().Paths[path].Post.RequestBody = body
}
