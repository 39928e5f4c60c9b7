// A server's whole life by gophercloud, logged in as openrc says; it prints what it saw.
//
// It builds against Debian's golang-github-gophercloud-gophercloud-dev, without modules.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/blockstorage/v2/volumes"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/bootfromvolume"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/keypairs"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/startstop"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/volumeattach"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/images"
	"github.com/gophercloud/gophercloud/openstack/networking/v2/networks"
)

const (
	seconds = 90
	zone    = "kr-pub-a" // a volume and its server share one
)

type walk struct {
	prefix                           string
	compute, storage, image, network *gophercloud.ServiceClient
	flavors                          map[string]string
	seen                             map[string]interface{}
	prompts                          int
}

func must(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%T: %v\n", err, err)
		os.Exit(1)
	}
}

func logIn(prefix string) *walk {
	options, err := openstack.AuthOptionsFromEnv()
	must(err)
	provider, err := openstack.AuthenticatedClient(options)
	must(err)
	region := gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")}
	w := &walk{prefix: prefix, seen: map[string]interface{}{}}
	w.compute, err = openstack.NewComputeV2(provider, region)
	must(err)
	w.storage, err = openstack.NewBlockStorageV2(provider, region)
	must(err)
	w.image, err = openstack.NewImageServiceV2(provider, region)
	must(err)
	w.network, err = openstack.NewNetworkV2(provider, region)
	must(err)
	pages, err := flavors.ListDetail(w.compute, nil).AllPages()
	must(err)
	listed, err := flavors.ExtractFlavors(pages)
	must(err)
	w.flavors = map[string]string{}
	for _, flavor := range listed {
		w.flavors[flavor.Name] = flavor.ID
	}
	return w
}

// create makes a key pair, a server on a volume, and one on a local disk.
func (w *walk) create() (string, string) {
	pair, err := keypairs.Create(w.compute, keypairs.CreateOpts{Name: w.prefix}).Extract()
	must(err)
	if !strings.Contains(pair.PrivateKey, "PRIVATE KEY") {
		must(fmt.Errorf("no private key was made"))
	}
	pages, err := images.List(w.image, images.ListOpts{Name: "hanok-tiny"}).AllPages()
	must(err)
	tiny, err := images.ExtractImages(pages)
	must(err)
	pages, err = networks.List(w.network, networks.ListOpts{Name: "Default-Network"}).AllPages()
	must(err)
	found, err := networks.ExtractNetworks(pages)
	must(err)
	device := bootfromvolume.BlockDevice{
		SourceType:          bootfromvolume.SourceImage,
		UUID:                tiny[0].ID,
		DestinationType:     bootfromvolume.DestinationVolume,
		VolumeSize:          10,
		DeleteOnTermination: true,
	}
	onVolume := w.server("volume", "m2.c1m2", "", found[0].ID, &device)
	local := w.server("local", "u2.c1m1", tiny[0].ID, found[0].ID, nil)
	w.seen["created"] = []string{w.wait(onVolume, "ACTIVE"), w.wait(local, "ACTIVE")}
	return onVolume, local
}

func (w *walk) server(
	name, flavor, image, network string, device *bootfromvolume.BlockDevice,
) string {
	var options servers.CreateOptsBuilder = keypairs.CreateOptsExt{
		CreateOptsBuilder: servers.CreateOpts{
			Name:             w.prefix + "-" + name,
			FlavorRef:        w.flavors[flavor],
			ImageRef:         image,
			AvailabilityZone: zone,
			Networks:         []servers.Network{{UUID: network}},
		},
		KeyName: w.prefix,
	}
	var made servers.CreateResult
	if device == nil {
		made = servers.Create(w.compute, options)
	} else {
		made = bootfromvolume.Create(w.compute, bootfromvolume.CreateOptsExt{
			CreateOptsBuilder: options,
			BlockDevice:       []bootfromvolume.BlockDevice{*device},
		})
	}
	server, err := made.Extract()
	must(err)
	return server.ID
}

// power stops, starts, and reboots both ways; the guest must be up to hear of a shutdown.
func (w *walk) power(id string) {
	w.prompt(id)
	must(startstop.Stop(w.compute, id).ExtractErr())
	w.seen["stopped"] = w.wait(id, "SHUTOFF")
	must(startstop.Start(w.compute, id).ExtractErr())
	w.seen["started"] = w.wait(id, "ACTIVE")
	must(servers.Reboot(w.compute, id, servers.RebootOpts{Type: servers.HardReboot}).ExtractErr())
	w.wait(id, "ACTIVE")
	w.prompt(id)
	must(servers.Reboot(w.compute, id, servers.RebootOpts{Type: servers.SoftReboot}).ExtractErr())
	w.wait(id, "ACTIVE")
	w.prompt(id)
}

// resize makes it bigger and confirms.
func (w *walk) resize(id string) {
	options := servers.ResizeOpts{FlavorRef: w.flavors["m2.c2m4"]}
	must(servers.Resize(w.compute, id, options).ExtractErr())
	w.seen["resizing"] = w.wait(id, "VERIFY_RESIZE")
	must(servers.ConfirmResize(w.compute, id).ExtractErr())
	w.wait(id, "ACTIVE")
	server, err := servers.Get(w.compute, id).Extract()
	must(err)
	flavor, err := flavors.Get(w.compute, server.Flavor["id"].(string)).Extract()
	must(err)
	w.seen["resized"] = flavor.Name
}

// attach attaches a volume and detaches it.
func (w *walk) attach(id string) {
	volume, err := volumes.Create(
		w.storage, volumes.CreateOpts{Size: 1, Name: w.prefix + "-data", AvailabilityZone: zone},
	).Extract()
	must(err)
	must(volumes.WaitForStatus(w.storage, volume.ID, "available", seconds))
	_, err = volumeattach.Create(
		w.compute, id, volumeattach.CreateOpts{VolumeID: volume.ID},
	).Extract()
	must(err)
	must(volumes.WaitForStatus(w.storage, volume.ID, "in-use", seconds))
	pages, err := volumeattach.List(w.compute, id).AllPages()
	must(err)
	listed, err := volumeattach.ExtractVolumeAttachments(pages)
	must(err)
	ours := false
	for _, one := range listed {
		ours = ours || one.VolumeID == volume.ID
	}
	w.seen["attached"] = []interface{}{w.volume(volume.ID), ours, len(listed)}
	must(volumeattach.Delete(w.compute, id, volume.ID).ExtractErr())
	must(volumes.WaitForStatus(w.storage, volume.ID, "available", seconds))
	w.seen["detached"] = w.volume(volume.ID)
	must(volumes.Delete(w.storage, volume.ID, nil).ExtractErr())
	w.untilGone(func() error { return volumes.Get(w.storage, volume.ID).Err })
}

func (w *walk) volume(id string) string {
	volume, err := volumes.Get(w.storage, id).Extract()
	must(err)
	return volume.Status
}

// snapshot makes an image of the server.
func (w *walk) snapshot(id string) {
	made, err := servers.CreateImage(
		w.compute, id, servers.CreateImageOpts{Name: w.prefix + "-image"},
	).ExtractImageID()
	must(err)
	must(gophercloud.WaitFor(seconds, func() (bool, error) {
		image, err := images.Get(w.image, made).Extract()
		if err != nil {
			return false, err
		}
		w.seen["image"] = string(image.Status)
		return image.Status != images.ImageStatusQueued && image.Status != images.ImageStatusSaving, nil
	}))
	w.wait(id, "ACTIVE")
	must(images.Delete(w.image, made).ExtractErr())
}

// remove deletes all of it.
func (w *walk) remove(ids ...string) {
	for _, id := range ids {
		must(servers.Delete(w.compute, id).ExtractErr())
	}
	for _, id := range ids {
		w.untilGone(func() error { return servers.Get(w.compute, id).Err })
	}
	must(keypairs.Delete(w.compute, w.prefix).ExtractErr())
	pages, err := servers.List(w.compute, nil).AllPages()
	must(err)
	left, err := servers.ExtractServers(pages)
	must(err)
	w.seen["left"] = len(left)
}

func (w *walk) wait(id, status string) string {
	must(servers.WaitForStatus(w.compute, id, status, seconds))
	return status
}

func (w *walk) untilGone(get func() error) {
	must(gophercloud.WaitFor(seconds, func() (bool, error) {
		err := get()
		if _, gone := err.(gophercloud.ErrDefault404); gone {
			return true, nil
		}
		return false, err
	}))
}

// prompt waits for the prompt of the latest boot.
func (w *walk) prompt(id string) {
	must(gophercloud.WaitFor(seconds, func() (bool, error) {
		output, err := servers.ShowConsoleOutput(
			w.compute, id, servers.ShowConsoleOutputOpts{},
		).Extract()
		latest := output[strings.LastIndex(output, "Linux version")+1:]
		up := strings.Contains(latest, "login:") && !strings.Contains(latest, "Power down")
		return up, err
	}))
	w.prompts++
}

func main() {
	w := logIn(os.Args[1])
	onVolume, local := w.create()
	w.power(onVolume)
	w.resize(onVolume)
	w.attach(onVolume)
	w.snapshot(local)
	w.remove(onVolume, local)
	w.seen["prompts"] = w.prompts
	must(json.NewEncoder(os.Stdout).Encode(w.seen))
}
