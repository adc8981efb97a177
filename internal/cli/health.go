package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
)

func (a *app) healthCommand() *cobra.Command {
	var given []string
	cmd := &cobra.Command{
		Use: "health", Short: "Ask running servers whether they are ready; exit code 1 when one is not", Args: noArguments,
		Long: "Asks /readyz of running servers, and prints each answer as it came: for whoever watches over a container that holds\n" +
			"nothing but this binary, and for scripts. Ready is a server whose database answers and has the schema it needs.",
		Example: "  vital health --server http://10.0.0.1:8080 --server http://10.0.0.2:8080",
		RunE: func(cmd *cobra.Command, _ []string) error {
			addresses, err := a.servers(given)
			if err != nil {
				return err
			}
			for _, address := range addresses {
				answer, err := askReady(cmd.Context(), address)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.streams.Out, "%s %s\n", address, answer)
			}
			return nil
		},
	}
	registerServers(cmd, &given)
	return cmd
}

// askReady returns what a server that is ready says. Why it is not is the server's own error.
func askReady(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz", nil)
	if err != nil {
		return "", err
	}
	client := serverClient()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return "", errServer(err, address)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(http.MaxBytesReader(nil, response.Body, 64<<10))
	if err != nil {
		return "", errNoVital(err, address)
	}
	var said struct {
		Status any        `json:"status"` // ready, or the number of an error
		Code   fault.Code `json:"code"`
		Title  string     `json:"title"`
		Hint   string     `json:"hint"`
	}
	switch err := json.Unmarshal(body, &said); {
	case err == nil && response.StatusCode == http.StatusOK && said.Status == "ready":
		return string(bytes.TrimSpace(body)), nil
	case err == nil && said.Code != "" && said.Title != "":
		return "", fault.New(said.Code, said.Title, said.Hint)
	default:
		return "", errNoVital(err, address)
	}
}
