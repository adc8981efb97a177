package erasure_test

import (
	"testing"

	"github.com/vital-db/vital/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
