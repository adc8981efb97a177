package rest

import "context"

func (e *Engine) describe(_ context.Context, _ *Catalog, _ *request, _ Session, _ Responder) error {
	return newError(404, "PGRST126", "Root endpoint metadata is disabled")
}
