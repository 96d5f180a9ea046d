package sso

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"strings"
	"time"

	"github.com/crewjam/saml"
)

// idp is what we use of a SAML provider's metadata.
type idp struct {
	entityID     string
	signOn       string // HTTP-Redirect
	certificates []*x509.Certificate
}

const (
	maxMetadata     = 256 << 10
	maxCertificates = 10
	nsMetadata      = "urn:oasis:names:tc:SAML:2.0:metadata"
)

// parseMetadata reads the metadata of one SAML identity provider. Every signing
// certificate in it counts, so that two may overlap while they are changed.
func parseMetadata(data []byte) (idp, error) {
	if len(data) > maxMetadata {
		return idp{}, problem(MetadataInvalid, nil, "it is larger than %d KiB", maxMetadata>>10)
	}
	root, err := parseXML(data, withComments)
	if err != nil {
		return idp{}, problem(MetadataInvalid, err, "%v", err)
	}
	if root.Tag != "EntityDescriptor" || root.NamespaceURI() != nsMetadata {
		return idp{}, problem(MetadataInvalid, nil, "it begins with %s, not with EntityDescriptor", root.Tag)
	}
	var entity saml.EntityDescriptor
	if err := xml.Unmarshal(data, &entity); err != nil {
		return idp{}, problem(MetadataInvalid, err, "%v", err)
	}
	if len(entity.IDPSSODescriptors) != 1 || entity.EntityID == "" || len(entity.EntityID) > 1024 {
		return idp{}, problem(MetadataInvalid, nil, "it describes %d identity providers", len(entity.IDPSSODescriptors))
	}
	p := idp{entityID: entity.EntityID}
	for _, service := range entity.IDPSSODescriptors[0].SingleSignOnServices {
		if service.Binding == saml.HTTPRedirectBinding && p.signOn == "" {
			p.signOn = service.Location
		}
	}
	if p.signOn == "" {
		return idp{}, problem(MetadataInvalid, nil, "there is no SingleSignOnService with HTTP-Redirect binding")
	}
	p.certificates, err = signingCertificates(entity.IDPSSODescriptors[0])
	return p, err
}

// signingCertificates reads those that are for signing, or for everything.
func signingCertificates(descriptor saml.IDPSSODescriptor) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for _, key := range descriptor.KeyDescriptors {
		if key.Use != "" && key.Use != "signing" {
			continue
		}
		for _, c := range key.KeyInfo.X509Data.X509Certificates {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(c.Data), ""))
			if err != nil {
				return nil, problem(MetadataInvalid, err, "a certificate is not base64")
			}
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, problem(MetadataInvalid, err, "a certificate cannot be read")
			}
			if err := strongKey(cert); err != nil {
				return nil, err
			}
			list = append(list, cert)
		}
	}
	if len(list) == 0 || len(list) > maxCertificates {
		return nil, problem(MetadataInvalid, nil, "it has %d signing certificates; 1 to %d can be used", len(list), maxCertificates)
	}
	return list, nil
}

// strongKey refuses keys that others could find.
func strongKey(cert *x509.Certificate) error {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			return problem(MetadataInvalid, nil, "the RSA key of a certificate has %d bits; at least 2048 are needed", key.N.BitLen())
		}
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < 256 {
			return problem(MetadataInvalid, nil, "the elliptic curve of a certificate is too small")
		}
	default:
		return problem(MetadataInvalid, nil, "a certificate has neither an RSA nor an ECDSA key")
	}
	return nil
}

// current returns the certificates that are valid now.
func (p idp) current(now time.Time) []*x509.Certificate {
	var list []*x509.Certificate
	for _, c := range p.certificates {
		if !now.Before(c.NotBefore.Add(-skew)) && now.Before(c.NotAfter) {
			list = append(list, c)
		}
	}
	return list
}
