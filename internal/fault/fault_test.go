package fault_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
)

func TestError(t *testing.T) {
	t.Parallel()
	inner := fault.Wrap(io.EOF, fault.NotFound, "Nothing here.", "Look elsewhere.")
	wrapped := fmt.Errorf("read thing: %w", inner)
	require.Equal(t, fault.NotFound, fault.CodeOf(wrapped))
	require.ErrorIs(t, wrapped, io.EOF)
	require.ErrorIs(t, wrapped, fault.New(fault.NotFound, "other words", ""))
	require.NotErrorIs(t, wrapped, fault.New(fault.Internal, "Nothing here.", ""))
	require.Empty(t, fault.CodeOf(nil))

	unknown := fault.From(errors.New("password=hunter2"))
	require.Equal(t, fault.Internal, unknown.Code)
	require.NotContains(t, unknown.Message+unknown.Hint+unknown.Detail, "hunter2", "only the log sees what is not a fault")
}

// Every code has one row in docs/reference/errors.md, and every row a code.
func TestCodes_Documented(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	require.NoError(t, err)
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for _, value := range spec.Values {
				code, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				require.NoError(t, err)
				codes = append(codes, code)
			}
		}
		return true
	})
	require.NotEmpty(t, codes)
	text, err := os.ReadFile("../../docs/reference/errors.md")
	require.NoError(t, err)
	var documented []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, found[1])
	}
	require.ElementsMatch(t, codes, documented)
}
