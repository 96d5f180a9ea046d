#!/bin/sh
# Makes the signed responses of this folder with tools that are not ours: openssl
# and xmlsec1. Needs both; run it here. Keys are thrown away.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { # name, days
  openssl req -x509 -newkey "${3:-rsa:2048}" ${4:+-pkeyopt $4} -nodes -keyout "$work/$1.pem" -out "$1.crt" -days "$2" -subj "/CN=$1" 2>/dev/null
}
key idp 36500
key stranger 36500
key ec 36500 ec ec_paramgen_curve:P-256

signature() { # id, signature method, digest, prefix list
  prefixes=''
  [ -z "$4" ] || prefixes="<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"$4\"/>"
  cat <<XML
<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="$2"/><ds:Reference URI="#$1"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">$prefixes</ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="$3"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>
XML
}

response() { # signature of the response, signature of the assertion
  cat <<XML
<?xml version="1.0" encoding="UTF-8"?>
<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:xs="http://www.w3.org/2001/XMLSchema" ID="_response" Version="2.0" IssueInstant="2030-03-01T12:00:00Z" Destination="https://acme.example.com/acs" InResponseTo="_request">
  <Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">https://idp.example.com</Issuer>$1
  <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
  <saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_assertion" Version="2.0" IssueInstant="2030-03-01T12:00:00Z">
    <saml:Issuer>https://idp.example.com</saml:Issuer>$2
    <saml:Subject>
      <saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">ada-1</saml:NameID>
      <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="_request" NotOnOrAfter="2030-03-01T12:05:00Z" Recipient="https://acme.example.com/acs"/></saml:SubjectConfirmation>
    </saml:Subject>
    <saml:Conditions NotBefore="2030-03-01T11:59:00Z" NotOnOrAfter="2030-03-01T12:05:00Z"><saml:AudienceRestriction><saml:Audience>https://acme.example.com/metadata</saml:Audience></saml:AudienceRestriction></saml:Conditions>
    <saml:AuthnStatement AuthnInstant="2030-03-01T12:00:00Z"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
    <saml:AttributeStatement><saml:Attribute Name="mail"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">ada@acme.test</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>
  </saml:Assertion>
</samlp:Response>
XML
}

sign() { # key, certificate, element that holds the signature
  xmlsec1 --sign --privkey-pem "$work/$1.pem,$1.crt" --id-attr:ID "urn:oasis:names:tc:SAML:2.0:protocol:Response" \
    --id-attr:ID "urn:oasis:names:tc:SAML:2.0:assertion:Assertion" --node-xpath "$2" --output "$work/out.xml" "$work/in.xml"
}
assertion="//*[local-name()='Assertion']/*[local-name()='Signature']"
outer="/*[local-name()='Response']/*[local-name()='Signature']"
rsa256=http://www.w3.org/2001/04/xmldsig-more#rsa-sha256
sha256=http://www.w3.org/2001/04/xmlenc#sha256

make() { # file, key, what is signed, method, digest, prefix list
  case $3 in
  assertion) response "" "$(signature _assertion "$4" "$5" "${6:-}")" >"$work/in.xml"; sign "$2" "$assertion" ;;
  response) response "$(signature _response "$4" "$5" "${6:-}")" "" >"$work/in.xml"; sign "$2" "$outer" ;;
  both)
    response "$(signature _response "$4" "$5" "${6:-}")" "$(signature _assertion "$4" "$5" "${6:-}")" >"$work/in.xml"
    sign "$2" "$assertion"; mv "$work/out.xml" "$work/in.xml"; sign "$2" "$outer" ;;
  esac
  cp "$work/out.xml" "$1.xml"
}
make assertion idp assertion "$rsa256" "$sha256"
make response idp response "$rsa256" "$sha256"
make both idp both "$rsa256" "$sha256"
make prefixes idp assertion "$rsa256" "$sha256" "xs"
make rsa512 idp assertion http://www.w3.org/2001/04/xmldsig-more#rsa-sha512 http://www.w3.org/2001/04/xmlenc#sha512
make ecdsa ec assertion http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256 "$sha256"
make sha1 idp assertion http://www.w3.org/2000/09/xmldsig#rsa-sha1 http://www.w3.org/2000/09/xmldsig#sha1
make sha1-digest idp assertion "$rsa256" http://www.w3.org/2000/09/xmldsig#sha1
make stranger stranger assertion "$rsa256" "$sha256"

# The signature of this one still holds, as xmlsec1 itself says: comments are not signed.
sed 's/>ada-1</>ada<!-- -->-1</' assertion.xml >comment.xml
xmlsec1 --verify --trusted-pem idp.crt --id-attr:ID "urn:oasis:names:tc:SAML:2.0:assertion:Assertion" comment.xml 2>/dev/null
