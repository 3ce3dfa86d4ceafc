// One program with the control plane of a real cluster, for the tests of the chart. Its first
// argument says which part it is. Linked into one, the parts share most of their code.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

var parts = map[string]func() *cobra.Command{
	"apiserver":          apiserver.NewAPIServerCommand,
	"controller-manager": controllers.NewControllerManagerCommand,
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: kube etcd|apiserver|controller-manager [flags]")
		os.Exit(2)
	}
	part, arguments := os.Args[1], append([]string{os.Args[0]}, os.Args[2:]...)
	if part == "etcd" {
		etcdmain.Main(arguments)
		return
	}
	command, known := parts[part]
	if !known {
		fmt.Fprintf(os.Stderr, "kube: %q is no part of it\n", part)
		os.Exit(2)
	}
	os.Args = arguments
	os.Exit(cli.Run(command()))
}
