package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
)

func (a *app) keyCommand() *cobra.Command {
	var grace time.Duration
	rotate := &cobra.Command{
		Use: "rotate", Short: "Make a new seal key; the former one stays good for the grace period", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if grace < time.Minute {
				return fault.New(fault.Usage, "The grace period is shorter than running servers need to follow.", "Give --grace at least 1m.")
			}
			return a.withTarget(cmd.Context(), func(t *target) error {
				id, err := rotateSealKey(cmd.Context(), t.operatorURL, grace)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.streams.Out, "seal key %s made; the former one is good until %s\n", id, time.Now().Add(grace).Format(time.RFC3339))
				return nil
			})
		},
	}
	rotate.Flags().DurationVar(&grace, "grace", 5*time.Minute, "how long the former key stays good")
	return group("key", "Manage keys", rotate)
}

func rotateSealKey(ctx context.Context, operatorURL string, grace time.Duration) (string, error) {
	conn, err := pgx.Connect(ctx, operatorURL)
	if err != nil {
		return "", fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var id string
	if err := conn.QueryRow(ctx, queries.Get("SealKeyRotate"), grace).Scan(&id); err != nil {
		return "", fmt.Errorf("rotate seal key: %w", err)
	}
	return id, nil
}
