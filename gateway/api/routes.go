package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"rempart/message/sms"
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
			MaxBodyBytes: large, BodyReadTimeout: bodyTimeout,
			Errors: []int{400, 401, 403, 413, 415, 503},
		}
	}

	huma.Register(api, operation("judge-email", "/v1/judge/email", RightJudge, "Judge a mail",
		"The body is the mail itself (message/rfc822) with its envelope in the query, or JSON with both."), a.judgeEmail)
	accepts(api, "/v1/judge/email", map[string]*huma.Schema{
		"message/rfc822":   {Type: "string", Format: "binary"},
		"application/json": schemas.Schema(reflect.TypeFor[emailRequest](), true, "EmailRequest"),
	})

	huma.Register(api, operation("judge-sms", "/v1/judge/sms", RightJudge, "Judge one text or many",
		"An object is one text and is answered by one verdict; an array is up to 1000 texts and is answered by as many, in their order."), a.judgeSMS)
	text := schemas.Schema(reflect.TypeFor[sms.JSON](), true, "SMS")
	accepts(api, "/v1/judge/sms", map[string]*huma.Schema{
		"application/json": {OneOf: []*huma.Schema{text, {Type: "array", Items: text, MaxItems: new(int)}}},
	})
	*api.OpenAPI().Paths["/v1/judge/sms"].Post.RequestBody.Content["application/json"].Schema.OneOf[1].MaxItems = maxBatch

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
